"""An image and a caption, as requests give them."""

from __future__ import annotations

import base64
import binascii
import unicodedata
from typing import Annotated, Any, Final, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from fixlip_core.errors import InputError, InvalidCaptionError, InvalidImageError

__all__ = ["AnyPair", "NamedPair", "Pair"]

_MAX_METADATA_ENTRIES: Final = 16
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


def _exactly_one_source(schema: JsonDict) -> None:
    """Say in a schema's words what :meth:`AnyPair._one_image` checks."""
    properties = cast(dict[str, JsonDict], schema["properties"])
    for name in _SOURCES:
        del properties[name]["default"]
    schema["oneOf"] = [{"required": [name]} for name in _SOURCES]


class AnyPair(BaseModel):
    """An image and a caption, but for what `image` is: one of three ways to give the image."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_extra=_exactly_one_source)

    image_id: str | SkipJsonSchema[None] = Field(
        default=None, description="An uploaded image, by the id that `POST /v1/images` gave."
    )
    image_url: str | SkipJsonSchema[None] = Field(
        default=None, description="Where the image is fetched from, at once; the operator lists the hosts."
    )
    caption: Annotated[str, AfterValidator(_printable)] = Field(
        description="The caption; it must fit the model's context."
    )
    metadata: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ] = Field(default_factory=dict, max_length=_MAX_METADATA_ENTRIES, description="Your own notes, kept with the job.")

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


class Pair(AnyPair):
    """An image and a caption; the image is given in exactly one way."""

    image: Annotated[
        bytes | None,
        BeforeValidator(_image_bytes),
        WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
        Field(description="The image file, in base64: PNG, JPEG, WebP, GIF (first frame), BMP or TIFF."),
    ] = None


class NamedPair(AnyPair):
    """An image and a caption; a file that comes beside them is given by its name."""

    image: str | SkipJsonSchema[None] = Field(default=None, description="Name of a file in `images`.")
