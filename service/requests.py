"""A submitted request, read from either of its two content types."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from typing import Annotated, Any, Final

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
)
from pydantic_core import from_json
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from fixlip_core.errors import InputError, InvalidCaptionError, InvalidImageError
from service.jobs.errors import StorageUnavailableError
from service.problems import FieldError, ProblemError
from service.settings import MAX_FIELDS_BYTES

__all__ = ["FORM", "JSON", "ExplanationRequest", "ExplanationRequestDep"]

FORM: Final = "multipart/form-data"
JSON: Final = "application/json"

_MAX_FIELDS: Final = 16
_MAX_METADATA_ENTRIES: Final = 16
_OBJECT_FIELDS: Final = ("params", "metadata")


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


class ExplanationRequest(BaseModel):
    """An image and a caption whose similarity is to be explained."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    image: Annotated[
        bytes,
        BeforeValidator(_image_bytes),
        WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
        Field(description="The image file, in base64: PNG, JPEG, WebP, GIF (first frame), BMP or TIFF."),
    ]
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


async def _read_form(request: Request) -> dict[str, Any]:
    """The form's fields; the image as bytes, objects parsed from JSON."""
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
                fields[name] = _parse_json(value, field=name) if name in _OBJECT_FIELDS else value
        return fields
    finally:
        await form.close()


async def _read_request(request: Request) -> ExplanationRequest:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM:
        fields: Any = await _read_form(request)
    elif content_type == JSON:
        fields = _parse_json(await request.body(), field="body")
    else:
        given = content_type or "none"
        raise ProblemError(
            415,
            "unsupported_content_type",
            f"the content type must be {FORM} or {JSON}, not {given}",
            headers={"Accept-Post": f"{FORM}, {JSON}"},
        )
    return ExplanationRequest.model_validate(fields)


ExplanationRequestDep = Annotated[ExplanationRequest, Depends(_read_request)]
"""The request's body, whichever of the two content types it has."""
