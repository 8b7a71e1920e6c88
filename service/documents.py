"""The OpenAPI document, where it is more than what the routes' types say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fixlip_core.methods import METHODS
from service.problems import Problem
from service.requests import FORM, JSON, ExplanationRequest

__all__ = ["EXPLANATION_REQUEST_BODY", "openapi_builder"]

_EXAMPLE_IMAGE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP8z8DAwMDAxMDAwMDAAAANHQEDasKb6QAAAABJRU5ErkJggg=="
)
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
_REF_TEMPLATE: Final = "#/components/schemas/{model}"


def _examples() -> dict[str, dict[str, Any]]:
    """Requests by what they ask for: at least one of each method."""
    common = {"image": _EXAMPLE_IMAGE, "caption": "a red circle and a blue square", "model": "demo"}
    return {
        title: {"summary": title, "value": {**common, "method": title.partition(",")[0], "params": params}}
        for title, params in _EXAMPLE_PARAMS.items()
    }


def _request_schema() -> dict[str, Any]:
    """The request's JSON schema, with each method's parameters: of these, the method says which."""
    schema = ExplanationRequest.model_json_schema(ref_template=_REF_TEMPLATE)
    parameters = [{"$ref": _REF_TEMPLATE.format(model=spec.parameters.__name__)} for spec in METHODS.values()]
    params = schema["properties"]["params"]
    schema["properties"]["params"] = {"description": params["description"], "anyOf": parameters, "default": {}}
    schema["properties"]["method"]["examples"] = sorted(METHODS)
    schema.pop("$defs", None)
    return schema


def _parameter_schemas() -> dict[str, dict[str, Any]]:
    """Each method's parameters, which say whose they are."""
    return {
        spec.parameters.__name__: spec.parameters.model_json_schema(ref_template=_REF_TEMPLATE)
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


EXPLANATION_REQUEST_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        FORM: {
            "schema": _form_schema(),
            "encoding": {"params": {"contentType": JSON}, "metadata": {"contentType": JSON}},
        },
        JSON: {"schema": _request_schema(), "examples": _examples()},
    },
}
"""The submit operation's body in OpenAPI's words: the same fields in a form, with a file, or in JSON, with base64."""


def openapi_builder(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What ``app.openapi`` is to be: the document, made once, with the schema of problems."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
                license_info=app.license_info,
            )
            problem = Problem.model_json_schema(ref_template=_REF_TEMPLATE)
            schemas = document["components"]["schemas"]
            schemas.update(problem.pop("$defs"))
            schemas["Problem"] = problem
            schemas.update(_parameter_schemas())
            app.openapi_schema = document
        return app.openapi_schema

    return build
