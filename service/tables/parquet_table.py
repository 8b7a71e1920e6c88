"""The tidy table as Parquet, with types: what is not there is null, and nothing need be quoted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Final

from service.jobs.batches.records import BatchRow
from service.tables.columns import COLUMNS, Cell, cells_of

if TYPE_CHECKING:
    from arro3.core import DataType, RecordBatch, Schema

__all__ = ["write_parquet"]

_COMPRESSION: Final = "zstd(3)"


def write_parquet(batch_id: str, pages: Iterable[list[BatchRow]], file: IO[bytes]) -> None:
    """Write the table of some items of a batch to ``file``."""
    # Takes memory that an API which nobody asks for such tables need not have.
    from arro3.core import Table
    from arro3.io import write_parquet as write

    schema = _schema()
    batches = [_record_batch([cells for row in rows for cells in cells_of(batch_id, row)], schema) for rows in pages]
    write(Table.from_batches(batches, schema=schema), file, compression=_COMPRESSION)


def _schema() -> Schema:
    from arro3.core import Field, Schema

    return Schema([Field(column.name, _type(column.kind), nullable=True) for column in COLUMNS])


def _type(kind: str) -> DataType:
    from arro3.core import DataType

    types = {
        "text": DataType.utf8(),
        "integer": DataType.int64(),
        "number": DataType.float64(),
        "boolean": DataType.bool(),
    }
    return types[kind]


def _record_batch(rows: list[list[Cell]], schema: Schema) -> RecordBatch:
    from arro3.core import Array, RecordBatch

    columns = [Array([cells[place] for cells in rows], type=_type(column.kind)) for place, column in enumerate(COLUMNS)]
    return RecordBatch.from_arrays(columns, schema=schema)
