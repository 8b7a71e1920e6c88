"""What a webhook says, and how it is signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import to_json
from standardwebhooks import Webhook

from service.jobs.batches.records import Batch
from service.jobs.records import Job
from service.jobs.webhook_secrets import WebhookSecret

__all__ = ["MAX_MESSAGE_BYTES", "message_id_of", "message_of", "signed_headers"]

MAX_MESSAGE_BYTES: Final = 20_000

_JOBS: Final = "/v1/explanations"
_BATCHES: Final = "/v1/batches"
_FIELDS: Final = {
    "id",
    "status",
    "model",
    "method",
    "input",
    "evaluate",
    "error",
    "progress",
    "metrics",
    "attempt",
    "cached",
    "created_at",
    "started_at",
    "cancel_requested_at",
    "completed_at",
    "expires_at",
    "metadata",
    "batch_id",
    "custom_id",
    "request_id",
}
_LONG_FIELDS: Final = ("metadata", "input", "error")
"""Left out in this order, where all of it would be too long: whoever is told can read them."""


def message_of(about: Job | Batch) -> bytes:
    """The message about a job or a batch that has ended.

    A job's record is without its parameters and its outcome, which may be long.

    Args:
        about: what has ended.
    """
    if isinstance(about, Batch):
        # When it expires is a setting that only the service knows.
        data = about.model_dump(mode="json", exclude={"webhook", "expires_at"})
        url = f"{_BATCHES}/{about.id}"
        links = {"self": url, "results": f"{url}/results.jsonl", "summary": f"{url}/summary"}
        return _message(f"batch.{about.status}", about.completed_at, data, links)
    url = f"{_JOBS}/{about.id}"
    data = about.model_dump(mode="json", include=_FIELDS)
    return _message(f"explanation.{about.status}", about.completed_at, data, {"self": url, "result": f"{url}/result"})


def message_id_of(about: Job | Batch) -> str:
    """The same for every attempt to deliver the message; a batch that is tried again ends again, which is another."""
    ends = f"_{about.retries}" if isinstance(about, Batch) and about.retries else ""
    return f"msg_{about.id}{ends}"


def _message(kind: str, ended_at: datetime | None, data: dict[str, Any], links: dict[str, str]) -> bytes:
    message: dict[str, Any] = {"type": kind, "timestamp": ended_at, "data": data | {"urls": links}}
    for name in _LONG_FIELDS:
        if len(to_json(message)) < MAX_MESSAGE_BYTES:
            break
        if name in data:
            message["data"] = message["data"] | {name: None}
    return to_json(message)


def signed_headers(message: bytes, *, message_id: str, secrets: Sequence[WebhookSecret]) -> dict[str, str]:
    """The headers by which a receiver that knows one of the secrets sees whom the message comes from, and from when."""
    now = datetime.now(UTC)
    signatures = [Webhook(each.secret).sign(message_id, now, message.decode()) for each in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
