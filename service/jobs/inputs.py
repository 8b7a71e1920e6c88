"""What a worker needs of a job that is not in its record: the picture, and parameters too long for a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import JsonValue
from pydantic_core import from_json, to_json

__all__ = ["IMAGE", "input_files", "params_of"]

IMAGE: Final = "image"

_PARAMS: Final = "params.json"


def input_files(
    image: bytes, params: Mapping[str, JsonValue], *, recorded: Mapping[str, JsonValue]
) -> dict[str, bytes]:
    """The files to be stored for a job.

    Parameters are among them only where the record has not all of them, so that the same picture is stored once.

    Args:
        image: the picture, as a plain RGB file.
        params: the method's parameters in full.
        recorded: as the record has them.
    """
    files = {IMAGE: image}
    if params != recorded:
        files[_PARAMS] = to_json(params)
    return files


def params_of(files: Mapping[str, bytes], *, recorded: Mapping[str, JsonValue]) -> Mapping[str, Any]:
    """The parameters in full of the job whose stored files these are."""
    stored = files.get(_PARAMS)
    return recorded if stored is None else from_json(stored)
