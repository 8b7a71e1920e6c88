"""What a webhook says, and how it is signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import to_json
from standardwebhooks import Webhook

from service.jobs.records import Job
from service.jobs.webhook_secrets import WebhookSecret

__all__ = ["MAX_MESSAGE_BYTES", "message_of", "signed_headers"]

MAX_MESSAGE_BYTES: Final = 20_000

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
"""Left out in this order, where all of it would be too long: the job has them."""


def message_of(job: Job, *, base: str) -> bytes:
    """The message about a job that has ended: its record without its parameters and its outcome, which may be long.

    Args:
        job: the job.
        base: path of the collection of jobs.
    """
    url = f"{base}/{job.id}"
    data: dict[str, Any] = job.model_dump(mode="json", include=_FIELDS)
    data["urls"] = {"self": url, "result": f"{url}/result"}
    message = {"type": f"explanation.{job.status}", "timestamp": job.completed_at, "data": data}
    for name in _LONG_FIELDS:
        if len(to_json(message)) < MAX_MESSAGE_BYTES:
            break
        data[name] = None
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
