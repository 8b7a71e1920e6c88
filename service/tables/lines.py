"""Results as JSON lines: all that is known of each item, an item a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import to_json

from service.jobs.batches.records import BatchRow
from service.views import ExplanationJob

__all__ = ["brief_lines", "json_lines"]


def json_lines(pages: Iterable[list[BatchRow]], *, explanations: str) -> Iterator[bytes]:
    """The lines of some items.

    Args:
        pages: the items.
        explanations: path of the collection of jobs.
    """
    for rows in pages:
        yield b"".join(to_json(_line(row, explanations)) + b"\n" for row in rows)


def brief_lines(pages: Iterable[list[BatchRow]]) -> Iterator[bytes]:
    """Shorter lines of some items: the caption and the scores instead of the explanation."""
    for rows in pages:
        yield b"".join(to_json(_brief_line(row)) + b"\n" for row in rows)


def _line(row: BatchRow, explanations: str) -> dict[str, Any]:
    return {**_head(row), "explanation": ExplanationJob.of(row.job, base=explanations) if row.job else None}


def _brief_line(row: BatchRow) -> dict[str, Any]:
    scores = row.job.output.evaluation if row.job and row.job.output else ()
    return {**_head(row), "caption": row.item.input.caption, "scores": scores}


def _head(row: BatchRow) -> dict[str, Any]:
    item = row.item
    return {
        "index": row.index,
        "custom_id": item.custom_id,
        "pair_id": item.pair_id,
        "job_id": row.job_id,
        "status": row.status,
        "model": item.model.id,
        "method": item.method,
        "params": item.params,
        "error": row.error,
    }
