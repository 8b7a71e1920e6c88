"""The lines of a batch, one after the other: from JSON, JSON lines or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from pydantic_core import from_json

from fixlip_core.errors import InputError
from service.problems import FieldError, ProblemError
from service.settings import MAX_FIELDS_BYTES

__all__ = ["MAX_DOCUMENT_BYTES", "read_csv", "read_document", "read_json", "read_lines"]

MAX_DOCUMENT_BYTES: Final = 32 * 1024 * 1024
"""Longest JSON document, which is read whole; JSON lines are read one after the other."""

_MAX_MARKS: Final = 1_000_000
_MAX_COLUMNS: Final = 64
_JSON_COLUMNS: Final = ("params", "metadata")
_LISTS: Final = ("items", "pairs")
_READ_BYTES: Final = 65_536


def read_json(data: bytes | str, *, field: str) -> Any:
    """The value of a JSON text.

    Raises:
        ProblemError: it is none.
    """
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError as error:
        message = f"{field} is not valid JSON: {error}"
        entry = FieldError(field=field, code="malformed_json", message=str(error))
        raise ProblemError(400, "malformed_json", message, errors=[entry]) from error


def read_document(file: IO[bytes], *, field: str) -> tuple[dict[str, Any], str, list[Any]]:
    """A batch in one JSON document.

    Args:
        file: the document.
        field: what it is called in errors.

    Returns:
        What it says of the whole batch; ``items`` or ``pairs``; the lines of that list.

    Raises:
        InputError: it has neither list, or both.
        ProblemError: it is no JSON, or too long.
    """
    data = file.read(MAX_DOCUMENT_BYTES + 1)
    # Before there are millions of values: base64 has none of what separates them.
    marks = sum(data.count(mark) for mark in (b",", b"[", b"{")) if len(data) <= MAX_DOCUMENT_BYTES else 0
    if len(data) > MAX_DOCUMENT_BYTES or marks > _MAX_MARKS:
        raise ProblemError(
            413,
            "body_too_large",
            f"a batch in one JSON document may have {MAX_DOCUMENT_BYTES:,} bytes and {_MAX_MARKS:,} values; send JSON "
            "lines, or a manifest and a zip",
        )
    document = read_json(data, field=field)
    if not isinstance(document, dict):
        raise InputError("a batch is a JSON object with items or pairs", field=field, code="invalid_batch")
    given = [name for name in _LISTS if name in document]
    if len(given) != 1:
        raise InputError("give either items or pairs", field=given[-1] if given else "items", code="invalid_batch")
    lines = document.pop(given[0])
    if not isinstance(lines, list):
        raise InputError(f"{given[0]} must be a list", field=given[0], code="invalid_batch")
    return document, given[0], lines


def read_lines(file: IO[bytes], *, kind: str, max_line_bytes: int) -> Iterator[Any]:
    """The values of JSON lines; empty lines say nothing.

    Args:
        file: the lines.
        kind: what they are called in errors: ``items`` or ``pairs``.
        max_line_bytes: longest line.

    Raises:
        ProblemError: a line is no JSON, or too long.
    """
    number = 0
    while line := file.readline(max_line_bytes + 2):
        place = f"{kind}[{number}]"
        if len(line.rstrip(b"\r\n")) > max_line_bytes:
            raise ProblemError(413, "body_too_large", f"{place} has more than {max_line_bytes:,} bytes")
        if line.strip():
            yield _bounded(line, place)
            number += 1


def read_csv(file: IO[bytes], *, kind: str) -> Iterator[dict[str, Any]]:
    """The rows of a CSV file with a header, as the objects that JSON lines would be: empty cells are left out.

    ``params`` and ``metadata`` are JSON, ``evaluate`` has its words between spaces, and ``metadata.NAME`` is a note.

    Args:
        file: the table.
        kind: what its rows are called in errors: ``items`` or ``pairs``.

    Raises:
        InputError: a row has more cells than the header, or a column is there twice.
        ProblemError: it is no CSV in UTF-8, or a cell is no JSON.
    """
    text = io.TextIOWrapper(io.BufferedReader(_Unclosed(file)), encoding="utf-8-sig", newline="")
    rows = csv.reader(text, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        _check_header(header)
        filled = (cells for cells in rows if any(cell.strip() for cell in cells))
        for number, cells in enumerate(filled):
            place = f"{kind}[{number}]"
            if len(cells) > len(header):
                message = f"{place} has {len(cells)} cells, and the header {len(header)}"
                raise InputError(message, field="manifest", code="malformed_csv")
            yield _object_of(dict(zip(header, cells, strict=False)), place)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ProblemError(400, "malformed_csv", f"the manifest is no CSV in UTF-8: {error}") from error
    finally:
        text.detach()


class _Unclosed(io.RawIOBase):
    """A file that stays open, and has as much of a reader as a text needs."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(min(len(buffer), _READ_BYTES))
        buffer[: len(data)] = data
        return len(data)


def _bounded(line: bytes, place: str) -> Any:
    if sum(line.count(mark) for mark in (b",", b"[", b"{")) > MAX_FIELDS_BYTES:
        raise ProblemError(413, "body_too_large", f"{place} has more values than a request may have")
    return read_json(line, field=place)


def _check_header(header: list[str]) -> None:
    if len(header) > _MAX_COLUMNS or len(set(header)) < len(header) or not all(header):
        message = f"the manifest's first row must name its columns, each once and at most {_MAX_COLUMNS}"
        raise InputError(message, field="manifest", code="malformed_csv")


def _object_of(cells: Mapping[str, str], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    for name, cell in cells.items():
        if not cell:
            continue
        if name.startswith("metadata."):
            notes[name.removeprefix("metadata.")] = cell
        elif name in _JSON_COLUMNS:
            found[name] = read_json(cell, field=f"{place}.{name}")
        else:
            found[name] = cell.split() if name == "evaluate" else cell
    others = found.get("metadata", {})
    return found | {"metadata": {**others, **notes}} if notes and isinstance(others, dict) else found
