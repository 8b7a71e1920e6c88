"""A submitted request, read from either of its two content types."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from typing import Annotated, Any, Final, Literal, Self, cast

from fastapi import Depends, Request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import from_json
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from fixlip_core.errors import InputError, InvalidCaptionError, InvalidImageError
from service.jobs.errors import StorageUnavailableError
from service.outbound.destinations import Destination
from service.outbound.errors import InvalidUrlError
from service.problems import FieldError, ProblemError
from service.settings import MAX_FIELDS_BYTES

__all__ = [
    "FORM",
    "JSON",
    "OBJECT_FIELDS",
    "ExplanationRequest",
    "ExplanationRequestDep",
    "WebhookRequest",
    "read_form",
    "read_request",
]

FORM: Final = "multipart/form-data"
JSON: Final = "application/json"

_MAX_FIELDS: Final = 16
_MAX_METADATA_ENTRIES: Final = 16
OBJECT_FIELDS: Final = ("params", "metadata", "webhook")
"""In a form, they are texts of JSON."""
_SOURCES: Final = ("image", "image_id", "image_url")


def _image_bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidImageError(
            "image must be base64 (RFC 4648, padded, no line breaks)", code="malformed_base64"
        ) from error


def _printable(caption: str) -> str:
    # White space is folded later; every other control character (NUL, escapes) has no place in a sentence.
    controls = [c for c in caption if unicodedata.category(c) == "Cc" and not c.isspace()]
    if controls:
        raise InvalidCaptionError(
            f"the caption has the control character U+{ord(controls[0]):04X}; send plain text",
            code="caption_control_character",
        )
    return caption


def _webhook_url(url: str) -> str:
    try:
        Destination.parse(url)
    except InvalidUrlError as error:
        raise InputError(str(error), field="webhook.url", code="webhook_url_invalid") from error
    return url


class WebhookRequest(BaseModel):
    """Who is to be told when the job has ended."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Annotated[str, AfterValidator(_webhook_url)] = Field(
        description="Where a signed message is posted: https, at a public address."
    )


def _exactly_one_source(schema: JsonDict) -> None:
    """Say in a schema's words what :meth:`ExplanationRequest._one_image` checks."""
    properties = cast(dict[str, JsonDict], schema["properties"])
    for name in _SOURCES:
        del properties[name]["default"]
    schema["oneOf"] = [{"required": [name]} for name in _SOURCES]


class ExplanationRequest(BaseModel):
    """An image and a caption whose similarity is to be explained; the image is given in exactly one way."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_extra=_exactly_one_source)

    image: Annotated[
        bytes | None,
        BeforeValidator(_image_bytes),
        WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
        Field(description="The image file, in base64: PNG, JPEG, WebP, GIF (first frame), BMP or TIFF."),
    ] = None
    image_id: str | SkipJsonSchema[None] = Field(
        default=None, description="An uploaded image, by the id that `POST /v1/images` gave."
    )
    image_url: str | SkipJsonSchema[None] = Field(
        default=None, description="Where the image is fetched from, at once; the operator lists the hosts."
    )
    caption: Annotated[str, AfterValidator(_printable)] = Field(
        description="The caption; it must fit the model's context."
    )
    model: str | None = Field(default=None, description="A model's id, of `GET /v1/models`; null: the default model.")
    method: str = Field(default="fixlip", description="A method's name, of `GET /v1/methods`.")
    params: dict[str, JsonValue] = Field(default_factory=dict, description="The method's parameters.")
    metadata: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ] = Field(default_factory=dict, max_length=_MAX_METADATA_ENTRIES, description="Your own notes, kept with the job.")
    cache: Literal["use", "bypass"] = Field(
        default="use",
        description="`use`: where an earlier job of yours has answered the very same question, its results are the "
        "answer at once. `bypass`: compute them anyway.",
    )
    webhook: WebhookRequest | None = Field(default=None, description="Whom to tell of the job's end; null: nobody.")

    @model_validator(mode="after")
    def _one_image(self) -> Self:
        given = [name for name in _SOURCES if name in self.model_fields_set]
        if len(given) == 1 and getattr(self, given[0]) is None:
            given = []
        if len(given) != 1:
            problem = f"{' and '.join(given)} are given" if given else "there is no image"
            message = f"{problem}; give exactly one of {', '.join(_SOURCES)}"
            raise InputError(message, field=given[-1] if given else "image", code="image_source")
        return self


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


async def read_form(request: Request) -> dict[str, Any]:
    """A form's fields: the file ``image`` as bytes, objects parsed from JSON.

    Raises:
        InputError: a field is given twice, or is a file where it must not be one.
        ProblemError: it is no form that can be read.
        StorageUnavailableError: a large file cannot be put aside.
    """
    _check_charset(request)
    try:
        form = await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=MAX_FIELDS_BYTES)
    except HTTPException as error:
        raise ProblemError(400, "malformed_multipart", f"the form cannot be read: {error.detail}") from error
    except OSError as error:  # a large file is put aside on the disk while it comes in
        raise StorageUnavailableError(f"cannot put the request's file aside: {error.strerror}") from error
    try:
        fields: dict[str, Any] = {}
        for name, value in form.multi_items():
            if name in fields:
                raise InputError(f"{name} is given more than once", field=name, code="repeated_field")
            if isinstance(value, UploadFile) is not (name == "image"):
                expected = "a file" if name == "image" else "a text field"
                raise InputError(f"{name} must be {expected}", field=name, code="wrong_part")
            if isinstance(value, UploadFile):
                fields[name] = await value.read()
            else:
                fields[name] = _parse_json(value, field=name) if name in OBJECT_FIELDS else value
        return fields
    finally:
        await form.close()


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
