"""What the service posts to callers' receivers, in OpenAPI's words."""

from __future__ import annotations

from typing import Any, Final

from service.documents.examples import ended_job

__all__ = ["webhooks"]

_ENDINGS: Final = {
    "succeeded": "An explanation is there.",
    "failed": "A job failed; `data.error` says why.",
    "canceled": "A job was canceled.",
    "expired": "A job waited too long to be begun.",
}
_HEADERS: Final = {
    "webhook-id": "The same for every attempt to deliver this message: have it act once.",
    "webhook-timestamp": "When this attempt was made, Unix seconds; refuse old ones.",
    "webhook-signature": "`v1,` and a signature in base64, one for each secret, separated by spaces.",
}
_LEFT_OUT: Final = ("params", "maps", "output", "estimated_start", "estimated_duration_s", "webhook")


def webhooks() -> dict[str, Any]:
    """OpenAPI's `webhooks`: one for each way that a job can end."""
    return {f"explanation.{status}": {"post": _operation(status, text)} for status, text in _ENDINGS.items()}


def _operation(status: str, text: str) -> dict[str, Any]:
    kind = f"explanation.{status}"
    job = ended_job(status)
    data = {name: value for name, value in job.items() if name not in _LEFT_OUT}
    data["urls"] = {name: job["urls"][name] for name in ("self", "result")}
    schema = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": kind},
            "timestamp": {"type": "string", "format": "date-time", "description": "When the job ended."},
            "data": {
                "type": "object",
                "description": "The job, as `GET` of `urls.self` has it, without `params` and `output`. Null is what "
                "would make the message too long: `metadata`, `input`, `error`.",
                "required": ["id", "status", "urls"],
                "properties": {
                    "id": {"type": "string"},
                    "status": {"const": status},
                    "urls": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
        },
    }
    message = {"type": kind, "timestamp": job["completed_at"], "data": data}
    return {
        "operationId": f"onExplanation{status.capitalize()}",
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
