"""Submissions: with which request a job is asked for."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Required, TypeAlias, TypedDict

from fixlip.client._answers import key_not_sendable, model_parser
from fixlip.client._operations import EXPLANATIONS, Operation, waiting
from fixlip.client.models import Job

__all__ = ["Image", "Submission", "named_bytes", "submit"]

Image: TypeAlias = bytes | Path
"""An image file's bytes, or where it is."""

_NAME: Final = "image"
_FIELDS: Final = ("caption", "image_id", "image_url", "model", "method", "params", "evaluate", "metadata", "cache")
_REPEATED: Final = ("evaluate",)
"""In a form, such a field is there once for each of its members; others are texts, or texts of JSON."""


class Submission(TypedDict, total=False):
    """What is to be explained, and how; what is left out or None is the service's default.

    ``image``, ``image_id`` and ``image_url`` are three ways to name the picture: a file, one that was uploaded before,
    one that the service fetches from a host that its operator allows. ``evaluate`` names metrics that are to judge the
    explanation: ``faithfulness``, ``aid``, ``confidence``, ``sanity``. ``webhook`` is a URL that is told of the job's
    end. ``cache="bypass"`` has the work done although its result may be known. ``wait_s``, of at most 60, is how long
    the service may wait for the job's end before it answers. Submissions of the same ``idempotency_key`` give the same
    job; without it each is a job of its own, however often its request is tried.
    """

    caption: Required[str]
    image: Image | None
    image_id: str | None
    image_url: str | None
    model: str | None
    method: str | None
    params: Mapping[str, Any] | None
    evaluate: Sequence[str] | None
    metadata: Mapping[str, str] | None
    webhook: str | None
    cache: Literal["use", "bypass"] | None
    wait_s: float
    idempotency_key: str | None


def submit(submission: Submission) -> Operation[Job]:
    """The request of a submission.

    Raises:
        OSError: the image's file cannot be read.
        ServiceError: no header can have such a key.
    """
    wait_s = submission.get("wait_s", 0.0)
    key = submission.get("idempotency_key") or uuid.uuid4().hex
    if not key.isascii():
        raise key_not_sendable()
    headers = {"Idempotency-Key": key, **waiting(wait_s)}
    fields: dict[str, Any] = {name: submission[name] for name in _FIELDS if submission.get(name) is not None}
    if (webhook := submission.get("webhook")) is not None:
        fields["webhook"] = {"url": webhook}
    if (image := submission.get("image")) is None:
        body: dict[str, Any] = {"json": fields}
    else:
        texts = {name: _in_form(name, value) for name, value in fields.items()}
        body = {"form": texts, "files": {"image": named_bytes(image)}}
    return Operation("POST", EXPLANATIONS, model_parser(Job), headers=headers, longer_by_s=wait_s, **body)


def _in_form(name: str, value: Any) -> str | list[str]:
    if name in _REPEATED:
        return list(value)
    return value if isinstance(value, str) else json.dumps(value)


def named_bytes(image: Image) -> tuple[str, bytes]:
    """The image's file name and bytes.

    Raises:
        OSError: the file cannot be read.
    """
    return (_NAME, image) if isinstance(image, bytes) else (image.name, image.read_bytes())
