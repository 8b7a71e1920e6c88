"""The document itself: FastAPI's, with what only the whole API can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.documents.batch_body import batch_request_body, batch_schemas
from service.documents.codes import PROBLEM_CODES, codes_of
from service.documents.examples import response_examples
from service.documents.links import LINKS
from service.documents.request_body import REF_TEMPLATE, explanation_request_body, parameter_schemas
from service.documents.webhooks import webhooks
from service.problems import PROBLEM_MEDIA_TYPE, Problem
from service.requests import JSON, WebhookRequest

__all__ = ["openapi_builder"]

_TAGS: Final = {
    "explanations": "Submit an image and a caption, and follow the job that explains their similarity.",
    "results": "What a job that has succeeded has found. These files never change: they have strong `ETag`s, and parts "
    "of them can be asked for.",
    "comparisons": "The same image and caption explained by two or more models or methods.",
    "batches": "Many explanations that are asked for at once, and their scores as tables.",
    "images": "Images that are uploaded once and explained several times.",
    "catalogue": "The models that workers serve, and the methods that explain.",
    "quotas": "What you may use, and what you have used.",
    "webhooks": "Being told of jobs' ends, and the secrets by which you know that it was us.",
    "health": "For load balancers and monitoring; no key is needed.",
}
_BODIES: Final = {"createBatch": batch_request_body, "createExplanation": explanation_request_body}
_INTERNAL_ERROR: Final = {
    "description": "An unexpected error.",
    "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": REF_TEMPLATE.format(model="Problem")}}},
}


def openapi_builder(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What ``app.openapi`` is to be: the document, made once."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    return build


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=f"{app.description}\n\n{_table_of_codes()}",
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        license_info=app.license_info,
        servers=[{"url": "/", "description": "The service that this document was read from."}],
    )
    problem = Problem.model_json_schema(ref_template=REF_TEMPLATE)
    schemas = document["components"]["schemas"]
    schemas.update(problem.pop("$defs"))
    problem["properties"]["code"]["examples"] = sorted(PROBLEM_CODES)
    schemas["Problem"] = problem
    schemas["WebhookRequest"] = WebhookRequest.model_json_schema(ref_template=REF_TEMPLATE)
    schemas.update(parameter_schemas())
    schemas.update(batch_schemas())
    examples = document["components"].setdefault("examples", {})
    for operation in _operations(document):
        _complete(operation, examples)
    document["webhooks"] = webhooks()
    return document


def _table_of_codes() -> str:
    lines = [f"| `{code}` | {meaning} |" for code, meaning in sorted(PROBLEM_CODES.items())]
    return "\n".join(["| Code of a problem | |", "|---|---|", *lines])


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _complete(operation: dict[str, Any], problems: dict[str, Any]) -> None:
    """Add to an operation what follows from its name: examples, links, and the codes of its ``problems``."""
    name, responses = operation["operationId"], operation["responses"]
    if (body := _BODIES.get(name)) is not None:  # read by hand, so that FastAPI knows nothing of it
        operation["requestBody"] = body()
    for status, example in response_examples(name).items():
        responses[status]["content"][JSON]["example"] = example
    for number, codes in codes_of(name).items():
        response = responses.setdefault(str(number), dict(_INTERNAL_ERROR))
        problems |= {f"{code}-{number}": _problem(number, code) for code in codes}
        examples = {code: {"$ref": f"#/components/examples/{code}-{number}"} for code in codes}
        content = response["content"][PROBLEM_MEDIA_TYPE]
        response["content"] = {PROBLEM_MEDIA_TYPE: {**content, "examples": examples}}
    for status, response in responses.items():
        if links := LINKS.get((name, status)):
            response["links"] = links
    operation["responses"] = dict(sorted(responses.items(), key=lambda entry: (entry[0] == "default", entry[0])))


def _problem(status: int, code: str) -> dict[str, Any]:
    meaning = PROBLEM_CODES[code]
    problem = Problem(
        type=f"urn:fixlip:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=meaning,
        instance="/v1/explanations",
        code=code,
        request_id="8f14e45fceea467f9a1c6b0b6d2f2f5e",
    )
    return {"summary": meaning, "value": problem.model_dump(mode="json", exclude_none=True)}
