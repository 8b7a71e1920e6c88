"""Pictures from untrusted bytes, or from callers, as plain 8-bit RGB."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fixlip_core.defaults import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS
from fixlip_core.errors import InvalidImageError

__all__ = ["FORMATS", "decode_image", "to_rgb", "upright_size"]

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats that are read, by Pillow's names; its other decoders are never given untrusted bytes."""

_BITS_16_MODES: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_TURNED: Final = (5, 6, 7, 8)
"""EXIF orientations whose width is the upright picture's height."""
_UNSCALED_MODES: Final = frozenset({"I", "F"})


def decode_image(data: bytes, *, max_bytes: int = MAX_IMAGE_BYTES, max_pixels: int = MAX_IMAGE_PIXELS) -> Image.Image:
    """The picture in ``data``, upright, as RGB: see :func:`to_rgb`. Of an animation, the first frame.

    Sizes are judged by the file's header, before a pixel is decoded.

    Args:
        data: a file of one of :data:`FORMATS`.
        max_bytes: longest file accepted.
        max_pixels: largest width * height accepted.

    Raises:
        InvalidImageError: with one of the codes ``image_empty`` (no bytes or no pixels), ``image_too_large`` (bytes),
            ``image_undecodable`` (not a picture of these formats), ``image_too_many_pixels``, ``image_truncated`` (or
            damaged), ``image_mode_unsupported``.
    """
    if not data:
        raise InvalidImageError("the image is empty: it has no bytes", code="image_empty")
    if len(data) > max_bytes:
        raise InvalidImageError(
            f"the image has {len(data):,} bytes; at most {max_bytes:,} are accepted", code="image_too_large"
        )
    image = _open(data)
    width, height = image.size
    if width * height > max_pixels:
        raise InvalidImageError(
            f"the image has {width} x {height} pixels; at most {max_pixels:,} in all are accepted",
            code="image_too_many_pixels",
        )
    return to_rgb(image)


def to_rgb(image: Image.Image | np.ndarray[Any, np.dtype[Any]]) -> Image.Image:
    """``image`` as a new 8-bit RGB picture without metadata.

    The EXIF orientation is applied; what is transparent lies on white; 16-bit channels are scaled, not clipped; CMYK,
    palette and grey pictures are converted.

    Args:
        image: a Pillow image, or an (H, W, 3) uint8 array of sRGB, row 0 on top.

    Raises:
        InvalidImageError: with one of the codes ``image_empty``, ``image_truncated``, ``image_mode_unsupported``
            (32-bit pixels, whose white is not defined), ``invalid_image`` (another kind of object or array).
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if not isinstance(image, Image.Image):
        raise InvalidImageError(f"image must be a PIL image or an (H, W, 3) uint8 array, not {type(image).__name__}")
    if 0 in image.size:
        raise InvalidImageError(f"the image is empty: it has {image.width} x {image.height} pixels", code="image_empty")
    try:
        image.load()
    except Exception as error:  # decoders raise whatever their parsing of hostile bytes runs into
        raise InvalidImageError(
            "the image's data ends early or is damaged; send the whole file", code="image_truncated"
        ) from error
    rgb = _flatten(_upright(image))
    rgb.info = {}
    return rgb


def upright_size(image: Image.Image | np.ndarray[Any, np.dtype[Any]]) -> tuple[int, int]:
    """(width, height) of what :func:`to_rgb` makes of ``image``, of which no pixel is decoded.

    Raises:
        InvalidImageError: it is no picture.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image).size
    if not isinstance(image, Image.Image):
        raise InvalidImageError(f"image must be a PIL image or an (H, W, 3) uint8 array, not {type(image).__name__}")
    if 0 in image.size:
        raise InvalidImageError(f"the image is empty: it has {image.width} x {image.height} pixels", code="image_empty")
    try:
        is_turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
    except Exception:  # as in _upright
        is_turned = False
    return image.size[::-1] if is_turned else image.size


def _open(data: bytes) -> Image.Image:
    accepted = ", ".join(FORMATS)
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidImageError(f"the image has too many pixels: {error}", code="image_too_many_pixels") from error
    except UnidentifiedImageError as error:
        raise InvalidImageError(
            f"this is no image, or not a whole one; accepted formats: {accepted}", code="image_undecodable"
        ) from error
    except Exception as error:  # as above: a header can break a parser in any way
        raise InvalidImageError(
            f"the image's header is damaged; accepted formats: {accepted}", code="image_undecodable"
        ) from error


def _from_array(array: np.ndarray[Any, np.dtype[Any]]) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise InvalidImageError(f"image must be an (H, W, 3) uint8 array, not {array.shape} {array.dtype}")
    if 0 in array.shape:
        raise InvalidImageError(f"the image is empty: its shape is {array.shape}", code="image_empty")
    return Image.fromarray(np.ascontiguousarray(array))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged metadata does not make the picture unusable
        return image


def _flatten(image: Image.Image) -> Image.Image:
    """Any mode to RGB."""
    if image.mode in _BITS_16_MODES:
        # Pillow's own conversion clips at 255. The high byte is what it keeps of 16-bit colour.
        high_byte = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(high_byte).convert("RGB")
    if image.mode in _UNSCALED_MODES:
        raise InvalidImageError(
            f"the image's pixels are 32-bit numbers (mode {image.mode}); at most 16 bits per channel are accepted",
            code="image_mode_unsupported",
        )
    try:
        if not image.has_transparency_data:
            return image.convert("RGB")
        rgba = image.convert("RGBA")
    except ValueError as error:
        raise InvalidImageError(
            f"the image's colour space (mode {image.mode}) is not accepted; send RGB", code="image_mode_unsupported"
        ) from error
    canvas = Image.new("RGB", rgba.size, "white")
    canvas.paste(rgba, mask=rgba.getchannel("A"))
    return canvas
