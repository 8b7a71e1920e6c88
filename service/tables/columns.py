"""The tidy table: a row for each explanation and score, and one for an explanation without scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pydantic_core import to_json

from service.jobs.batches.records import BatchItem, BatchRow
from service.jobs.records import JobMetrics, JobModel, JobScore

__all__ = ["COLUMNS", "Cell", "Column", "cells_of"]

Cell: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class _Line:
    """What a row of the table tells of."""

    batch_id: str
    row: BatchRow
    score: JobScore | None

    @property
    def item(self) -> BatchItem:
        """What was asked for."""
        return self.row.item

    @property
    def metrics(self) -> JobMetrics:
        """What it took."""
        return self.row.job.metrics if self.row.job else JobMetrics()

    @property
    def model(self) -> JobModel:
        """The model that has explained."""
        return self.row.job.model if self.row.job else self.row.item.model


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        name: its name.
        kind: what its cells are, where they are not null.
        of: a cell of an item and one of its scores, if it has any.
    """

    name: str
    kind: Literal["text", "integer", "number", "boolean"]
    of: Callable[[_Line], Cell]


COLUMNS: Final = (
    Column("batch_id", "text", lambda line: line.batch_id),
    Column("index", "integer", lambda line: line.row.index),
    Column("custom_id", "text", lambda line: line.item.custom_id),
    Column("pair_id", "text", lambda line: line.item.pair_id),
    Column("job_id", "text", lambda line: line.row.job_id),
    Column("status", "text", lambda line: line.row.status.value),
    Column("error", "text", lambda line: line.row.error.code if line.row.error else None),
    Column("model", "text", lambda line: line.model.id),
    Column("revision", "text", lambda line: line.model.revision),
    Column("method", "text", lambda line: line.item.method),
    Column("params", "text", lambda line: to_json(line.item.params).decode()),
    Column("image_sha256", "text", lambda line: line.item.input.image_sha256),
    Column("caption", "text", lambda line: line.item.input.caption),
    Column("metric", "text", lambda line: line.score.metric if line.score else None),
    Column("score", "text", lambda line: line.score.name if line.score else None),
    Column("value", "number", lambda line: line.score.value if line.score else None),
    Column("ci_low", "number", lambda line: line.score.ci_low if line.score else None),
    Column("ci_high", "number", lambda line: line.score.ci_high if line.score else None),
    Column("higher_is_better", "boolean", lambda line: line.score.higher_is_better if line.score else None),
    Column("note", "text", lambda line: line.score.note if line.score else None),
    Column("forward_passes", "integer", lambda line: line.metrics.forward_passes),
    Column("evaluation_passes", "integer", lambda line: line.metrics.evaluation_passes),
    Column("run_s", "number", lambda line: line.metrics.run_s),
)


def cells_of(batch_id: str, row: BatchRow) -> Iterator[list[Cell]]:
    """The table's rows of a batch's item, each with a cell for each of :data:`COLUMNS`."""
    scores = row.job.output.evaluation if row.job and row.job.output else ()
    for score in scores or (None,):
        line = _Line(batch_id, row, score)
        yield [column.of(line) for column in COLUMNS]
