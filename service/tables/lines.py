"""Results as JSON lines: all that is known of each item, an item a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import to_json

from service.jobs.batches.records import BatchRow
from service.views import ExplanationJob

__all__ = ["json_lines"]


def json_lines(pages: Iterable[list[BatchRow]], *, explanations: str) -> Iterator[bytes]:
    """The lines of some items.

    Args:
        pages: the items.
        explanations: path of the collection of jobs.
    """
    for rows in pages:
        yield b"".join(to_json(_line(row, explanations)) + b"\n" for row in rows)


def _line(row: BatchRow, explanations: str) -> dict[str, Any]:
    item, job = row.item, row.job
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
        "explanation": ExplanationJob.of(job, base=explanations) if job else None,
    }
