"""The body of a submission in OpenAPI's words."""

from __future__ import annotations

from typing import Any, Final

from fixlip_core.images import FORMATS
from fixlip_core.methods import METHODS
from service.requests import FORM, JSON, OBJECT_FIELDS, ExplanationRequest

__all__ = [
    "EXAMPLE_CAPTION",
    "EXAMPLE_IMAGE",
    "IMAGE_ENCODING",
    "REF_TEMPLATE",
    "explanation_request_body",
    "parameter_schemas",
]

EXAMPLE_IMAGE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg=="
)
EXAMPLE_CAPTION: Final = "a red circle and a blue square"
_EXAMPLE_PARAMS: Final[dict[str, dict[str, Any]]] = {
    "fixlip": {"p": 0.5, "budget": 512, "seed": 0},
    "fixlip, until good enough": {"budget": "auto", "target_r2": 0.9, "max_passes": 1024},
    "fixlip, of words and boxes": {"text_players": "word", "boxes": [[0, 0, 1, 2]]},
    "fixlip, Shapley": {"index": "shapley"},
    "exclip": {"steps": 10, "score": "logit"},
    "m2ib": {"beta": 0.1, "seed": 0},
    "nib": {},
    "grad_eclip": {"variant": "multi_head"},
    "game": {"block": -1},
    "legrad": {},
}
_EVALUATED: Final = "fixlip, judged by metrics"
REF_TEMPLATE: Final = "#/components/schemas/{model}"


IMAGE_ENCODING: Final = {
    "image": {"contentType": ", ".join(f"image/{name.lower()}" for name in FORMATS)},
}
"""Of a form's file: what it may be."""


def _examples() -> dict[str, dict[str, Any]]:
    """Requests by what they ask for: at least one of each method."""
    common = {"image": EXAMPLE_IMAGE, "caption": EXAMPLE_CAPTION, "model": "demo"}
    examples: dict[str, dict[str, Any]] = {
        title: {"summary": title, "value": {**common, "method": title.partition(",")[0], "params": params}}
        for title, params in _EXAMPLE_PARAMS.items()
    }
    judged = {**common, "method": "fixlip", "params": {"budget": 256}, "evaluate": ["faithfulness", "aid"]}
    examples[_EVALUATED] = {"summary": _EVALUATED, "value": judged}
    return examples


def _request_schema() -> dict[str, Any]:
    """The request's JSON schema, with each method's parameters: of these, the method says which."""
    schema = ExplanationRequest.model_json_schema(ref_template=REF_TEMPLATE)
    parameters = [{"$ref": REF_TEMPLATE.format(model=spec.parameters.__name__)} for spec in METHODS.values()]
    params = schema["properties"]["params"]
    schema["properties"]["params"] = {"description": params["description"], "anyOf": parameters, "default": {}}
    schema["properties"]["method"]["examples"] = sorted(METHODS)
    schema.pop("$defs", None)
    return schema


def parameter_schemas() -> dict[str, dict[str, Any]]:
    """Each method's parameters, which say whose they are."""
    return {
        spec.parameters.__name__: spec.parameters.model_json_schema(ref_template=REF_TEMPLATE)
        | {"title": f"params of {spec.name}", "description": f"`params` of method `{spec.name}`. {spec.title}."}
        for spec in METHODS.values()
    }


def _form_schema() -> dict[str, Any]:
    schema = _request_schema()
    schema["title"] = "ExplanationForm"
    schema["properties"]["image"] = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "description": "The image file: PNG, JPEG, WebP, GIF (first frame), BMP or TIFF.",
    }
    schema["properties"]["model"] = {
        "type": "string",
        "description": "A model's id, of `GET /v1/models`; without it: the default model.",
    }
    return schema


def explanation_request_body() -> dict[str, Any]:
    """The submit operation's body: the same fields in a form, with a file, or in JSON, with base64."""
    encoding = IMAGE_ENCODING | {name: {"contentType": JSON} for name in OBJECT_FIELDS}
    content = {
        FORM: {"schema": _form_schema(), "encoding": encoding},
        JSON: {"schema": _request_schema(), "examples": _examples()},
    }
    return {"required": True, "content": content}
