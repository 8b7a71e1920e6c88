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
_EXAMPLE: Final = {
    "image": _EXAMPLE_IMAGE,
    "caption": "a red circle and a blue square",
    "model": "demo",
    "method": "fixlip",
    "params": {"p": 0.5, "budget": 512, "seed": 0},
    "metadata": {"dataset": "shapes"},
}
_REF_TEMPLATE: Final = "#/components/schemas/{model}"


def _request_schema() -> dict[str, Any]:
    """The request's JSON schema, with each method's parameters."""
    schema = ExplanationRequest.model_json_schema(ref_template=_REF_TEMPLATE)
    parameters = [method.parameters.model_json_schema(ref_template=_REF_TEMPLATE) for method in METHODS.values()]
    params = schema["properties"]["params"]
    schema["properties"]["params"] = {"description": params["description"], "anyOf": parameters, "default": {}}
    schema["properties"]["method"]["examples"] = sorted(METHODS)
    schema.pop("$defs", None)
    return schema


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
        JSON: {"schema": _request_schema(), "example": _EXAMPLE},
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
            app.openapi_schema = document
        return app.openapi_schema

    return build
