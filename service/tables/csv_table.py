"""The tidy table as CSV (RFC 4180) in UTF-8."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from service.jobs.batches.records import BatchRow
from service.tables.columns import COLUMNS, Cell, cells_of

__all__ = ["csv_lines"]

_FORMULA_MARKS: Final = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  # wide ones are taken for the same


def csv_lines(batch_id: str, pages: Iterable[list[BatchRow]]) -> Iterator[bytes]:
    """The header, and the rows of some items of a batch.

    A text that a spreadsheet would take for a formula has a ``'`` before it, as OWASP recommends ("CSV Injection"):
    captions are whatever somebody wrote.
    """
    header = _lines([[column.name for column in COLUMNS]])
    for rows in pages:
        yield header + _lines([_shown(cell) for cell in cells] for row in rows for cells in cells_of(batch_id, row))
        header = b""
    if header:
        yield header


def _lines(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA_MARKS) else cell
    return repr(cell)
