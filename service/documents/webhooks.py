"""What the service posts to callers' receivers, in OpenAPI's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from service.documents.batch_examples import ended_batch
from service.documents.examples import ended_job

__all__ = ["webhooks"]

_EXPLANATIONS: Final = {
    "succeeded": "An explanation is there.",
    "failed": "A job failed; `data.error` says why.",
    "canceled": "A job was canceled.",
    "expired": "A job waited too long to be begun.",
}
_BATCHES: Final = {
    "succeeded": "All items of a batch have ended; some may have failed.",
    "failed": "A batch could not go on; `data.error` says why.",
    "canceled": "A batch was canceled.",
}
_HEADERS: Final = {
    "webhook-id": "The same for every attempt to deliver this message: have it act once.",
    "webhook-timestamp": "When this attempt was made, Unix seconds; refuse old ones.",
    "webhook-signature": "`v1,` and a signature in base64, one for each secret, separated by spaces.",
}
_LEFT_OUT: Final = ("params", "maps", "output", "estimated_start", "estimated_duration_s", "webhook")
_LEFT_OUT_OF_BATCHES: Final = ("expires_at", "webhook")


def webhooks() -> dict[str, Any]:
    """OpenAPI's `webhooks`: one for each way that a job, or a batch, can end."""
    jobs = {f"explanation.{status}": _of_job(status, text) for status, text in _EXPLANATIONS.items()}
    batches = {f"batch.{status}": _of_batch(status, text) for status, text in _BATCHES.items()}
    return {kind: {"post": operation} for kind, operation in (jobs | batches).items()}


def _of_job(status: str, text: str) -> dict[str, Any]:
    job = ended_job(status)
    data = {name: value for name, value in job.items() if name not in _LEFT_OUT}
    data["urls"] = {name: job["urls"][name] for name in ("self", "result")}
    about = (
        "The job, as `GET` of `urls.self` has it, without `params` and `output`. Null is what would make the message "
        "too long: `metadata`, `input`, `error`."
    )
    return _operation("explanation", status, text, about, data)


def _of_batch(status: str, text: str) -> dict[str, Any]:
    batch = ended_batch(status)
    data = {name: value for name, value in batch.items() if name not in _LEFT_OUT_OF_BATCHES}
    data["urls"] = {name: batch["urls"][name] for name in ("self", "results", "summary")}
    about = (
        "The batch, as `GET` of `urls.self` has it, without `expires_at`. Null is what would make the message too "
        "long: `metadata`, `error`. One that is tried again ends again."
    )
    return _operation("batch", status, text, about, data)


def _operation(noun: str, status: str, text: str, about: str, data: Mapping[str, Any]) -> dict[str, Any]:
    kind = f"{noun}.{status}"
    schema = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": kind},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it ended."},
            "data": {
                "type": "object",
                "description": about,
                "required": ["id", "status", "urls"],
                "properties": {
                    "id": {"type": "string"},
                    "status": {"const": status},
                    "urls": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
        },
    }
    message = {"type": kind, "timestamp": data["completed_at"], "data": data}
    return {
        "operationId": f"on{noun.capitalize()}{status.capitalize()}",
        "summary": text,
        "description": "Signed as Standard Webhooks has it, less than 20 kB, tried again for about a day until it is "
        "answered with 2xx within 15 seconds; redirects count as failures, 410 ends it.",
        "tags": ["webhooks"],
        "parameters": [
            {"in": "header", "name": name, "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": message}}},
        "responses": {"2XX": {"description": "It has arrived."}, "410": {"description": "Never send it again."}},
    }
