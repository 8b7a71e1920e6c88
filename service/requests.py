"""A submitted request, read from either of its two content types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
)
from pydantic_core import from_json
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from fixlip_core.errors import InputError
from service.evaluations import Evaluate
from service.jobs.errors import StorageUnavailableError
from service.outbound.destinations import Destination
from service.outbound.errors import InvalidUrlError
from service.pairs import Pair
from service.problems import FieldError, ProblemError
from service.settings import MAX_FIELDS_BYTES

__all__ = [
    "FORM",
    "JSON",
    "LIST_FIELDS",
    "OBJECT_FIELDS",
    "ExplanationRequest",
    "ExplanationRequestDep",
    "WebhookRequest",
    "open_form",
    "read_form",
    "read_request",
]

FORM: Final = "multipart/form-data"
JSON: Final = "application/json"

_MAX_FIELDS: Final = 16
OBJECT_FIELDS: Final = ("params", "metadata", "webhook")
"""In a form, they are texts of JSON."""
LIST_FIELDS: Final = ("evaluate",)
"""In a form, they are given once for each of their members."""


def _webhook_url(url: str) -> str:
    try:
        Destination.parse(url)
    except InvalidUrlError as error:
        raise InputError(str(error), field="webhook.url", code="webhook_url_invalid") from error
    return url


class WebhookRequest(BaseModel):
    """Who is to be told of the end."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Annotated[str, AfterValidator(_webhook_url)] = Field(
        description="Where a signed message is posted: https, at a public address."
    )


class ExplanationRequest(Pair):
    """An image and a caption whose similarity is to be explained; the image is given in exactly one way."""

    model: str | None = Field(default=None, description="A model's id, of `GET /v1/models`; null: the default model.")
    method: str = Field(default="fixlip", description="A method's name, of `GET /v1/methods`.")
    params: dict[str, JsonValue] = Field(default_factory=dict, description="The method's parameters.")
    evaluate: Evaluate = Field(default_factory=list)
    cache: Literal["use", "bypass"] = Field(
        default="use",
        description="`use`: where an earlier job of yours has answered the very same question, its results are the "
        "answer at once. `bypass`: compute them anyway.",
    )
    webhook: WebhookRequest | None = Field(default=None, description="Whom to tell of the job's end; null: nobody.")


def _parse_json(data: bytes | str, *, field: str) -> Any:
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise ProblemError(
            400,
            "malformed_json",
            f"{field} is not valid JSON: {error}",
            errors=[FieldError(field=field, code="malformed_json", message=str(error))],
        ) from error


def _parse_body(body: bytes) -> Any:
    """The JSON of a request, all of which but the image may have the size that forms' fields may have."""
    # Before there are millions of values: base64 has none of what separates them.
    rest = sum(body.count(mark) for mark in (b",", b"[", b"{"))
    if rest <= MAX_FIELDS_BYTES:
        fields = _parse_json(body, field="body")
        image = fields.get("image") if isinstance(fields, dict) else None
        rest = len(body) - (len(image) if isinstance(image, str) else 0)
    if rest > MAX_FIELDS_BYTES:
        raise ProblemError(
            413,
            "body_too_large",
            f"all but the image may have {MAX_FIELDS_BYTES:,} bytes in JSON, not {rest:,} or more",
        )
    return fields


def _check_charset(request: Request) -> None:
    """Refuse what would have a form's texts decoded by any codec of Python's that its sender names.

    Some of these take minutes for what a form may have, and some make texts that cannot be written again.
    """
    _, options = parse_options_header(request.headers.get("content-type"))
    if options.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise ProblemError(400, "malformed_multipart", "the form's charset must be utf-8, or left out")


@asynccontextmanager
async def open_form(request: Request, *, max_files: int, max_fields: int) -> AsyncIterator[FormData]:
    """A form whose files are there as long as the block runs.

    Raises:
        InputError: a field is given twice.
        ProblemError: it is no form that can be read.
        StorageUnavailableError: a large file cannot be put aside.
    """
    _check_charset(request)
    try:
        form = await request.form(max_files=max_files, max_fields=max_fields, max_part_size=MAX_FIELDS_BYTES)
    except HTTPException as error:
        raise ProblemError(400, "malformed_multipart", f"the form cannot be read: {error.detail}") from error
    except OSError as error:  # a large file is put aside on the disk while it comes in
        raise StorageUnavailableError(f"cannot put the request's file aside: {error.strerror}") from error
    try:
        names = [name for name, _ in form.multi_items()]
        twice = next((name for name in names if names.count(name) > 1 and name not in LIST_FIELDS), None)
        if twice is not None:
            raise InputError(f"{twice} is given more than once", field=twice, code="repeated_field")
        yield form
    finally:
        await form.close()


async def read_form(request: Request) -> dict[str, Any]:
    """A form's fields: the file ``image`` as bytes, objects parsed from JSON.

    Raises:
        InputError: a field is given twice, or is a file where it must not be one.
        ProblemError: it is no form that can be read.
        StorageUnavailableError: a large file cannot be put aside.
    """
    async with open_form(request, max_files=1, max_fields=_MAX_FIELDS) as form:
        fields: dict[str, Any] = {}
        for name, value in form.multi_items():
            if isinstance(value, UploadFile) is not (name == "image"):
                expected = "a file" if name == "image" else "a text field"
                raise InputError(f"{name} must be {expected}", field=name, code="wrong_part")
            if isinstance(value, UploadFile):
                fields[name] = await value.read()
            elif name in LIST_FIELDS:
                fields.setdefault(name, []).append(value)
            else:
                fields[name] = _parse_json(value, field=name) if name in OBJECT_FIELDS else value
        return fields


async def read_request(request: Request) -> ExplanationRequest:
    """The body of ``request``, of either content type.

    Raises:
        ProblemError: the body cannot be read.
        InputError: a field of the form is not what it must be.
        ValidationError: a field is not valid.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM:
        fields: Any = await read_form(request)
    elif content_type == JSON:
        fields = _parse_body(b"".join([chunk async for chunk in request.stream()]))  # not kept, as body() would
    else:
        given = content_type or "none"
        raise ProblemError(
            415,
            "unsupported_content_type",
            f"the content type must be {FORM} or {JSON}, not {given}",
            headers={"Accept-Post": f"{FORM}, {JSON}"},
        )
    if isinstance(fields, dict) and len(fields) > _MAX_FIELDS:
        message = f"the body has {len(fields):,} fields; a request has no more than {_MAX_FIELDS}"
        raise InputError(message, field="body", code="too_many_fields")
    return ExplanationRequest.model_validate(fields)


ExplanationRequestDep = Annotated[ExplanationRequest, Depends(read_request)]
"""The request's body, whichever of the two content types it has."""
