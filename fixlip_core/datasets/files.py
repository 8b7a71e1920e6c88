"""Files of data sets; what is wrong with one is said with its name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PIL import Image

from fixlip_core.errors import DatasetError, InvalidImageError
from fixlip_core.images import decode_image

__all__ = ["digest_of", "pictures_in", "read_bytes", "read_picture", "read_text"]

_SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def digest_of(lines: Iterable[str]) -> str:
    """Eight hexadecimal digits that tell one list of lines from another."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode(errors="surrogateescape") + b"\n")
    return digest.hexdigest()[:8]


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The files in ``folder`` that are called pictures, sorted."""
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES))


def read_picture(path: Path) -> Image.Image:
    """The picture in a file, upright, as RGB.

    Raises:
        DatasetError: there is no such file, or it is no picture.
    """
    try:
        return decode_image(read_bytes(path))
    except InvalidImageError as error:
        raise DatasetError(f"{path}: {error}") from error


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error


def read_text(path: Path) -> str:
    """A file's text.

    Raises:
        DatasetError: it cannot be read, or is no UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not text in UTF-8") from error
