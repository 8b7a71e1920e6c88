"""The operations on batches: how each is asked for, and how its answer is read. No input, no output."""

from __future__ import annotations

from typing import Final, TypeAlias
from urllib.parse import quote

import httpx

from fixlip.client._answers import model_parser
from fixlip.client._batch_models import Batch, BatchPage, BatchSummary
from fixlip.client._operations import Operation, waiting

__all__ = ["BATCHES", "FILES", "BatchOrId", "batch_path", "cancel", "delete", "get", "page", "retry", "summary"]

BatchOrId: TypeAlias = Batch | str
"""A batch, or its id."""

BATCHES: Final = "/v1/batches"
FILES: Final = ("results.jsonl", "table.csv", "table.parquet", "summary.json")
"""What there is to be had of a batch, by the names that it gets on the disk."""

_SUMMARY_S: Final = 120.0


def batch_path(batch: BatchOrId, *names: str) -> str:
    """Path of a batch, or of something below it."""
    parts = [batch if isinstance(batch, str) else batch.id, *names]
    return "/".join([BATCHES, *(quote(part, safe="") for part in parts)])


def get(batch: BatchOrId, *, wait_s: float = 0.0) -> Operation[Batch]:
    """How a batch stands, once it has ended or ``wait_s`` seconds have passed."""
    return Operation("GET", batch_path(batch), model_parser(Batch), headers=waiting(wait_s), longer_by_s=wait_s)


def cancel(batch: BatchOrId) -> Operation[Batch]:
    """Ask that a batch be stopped."""
    return Operation("POST", batch_path(batch, "cancel"), model_parser(Batch))


def retry(batch: BatchOrId) -> Operation[Batch]:
    """Ask again for what has no result."""
    return Operation("POST", batch_path(batch, "retry"), model_parser(Batch))


def delete(batch: BatchOrId) -> Operation[None]:
    """Remove a batch that has ended, and its data."""
    return Operation("DELETE", batch_path(batch), _nothing, is_done_when_gone=True)


def page(token: str, *, page_size: int) -> Operation[BatchPage]:
    """A page of the list of batches; the first has the token ""."""
    query = {"page_size": str(page_size)} | ({"page_token": token} if token else {})
    return Operation("GET", BATCHES, model_parser(BatchPage), query=query)


def summary(batch: BatchOrId) -> Operation[BatchSummary]:
    """A batch's scores in brief."""
    return Operation("GET", batch_path(batch, "summary"), model_parser(BatchSummary), longer_by_s=_SUMMARY_S)


def _nothing(response: httpx.Response) -> None:
    """Read nothing: an answer without a body."""
