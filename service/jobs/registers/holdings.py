"""Which bundles the jobs hold, and how many bytes the tenants' are."""

from __future__ import annotations

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.registers.register import Change
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.holdings import hold, release

__all__ = ["Holdings"]


class Holdings:
    """Every job holds its inputs and its results; the inputs of a batch's jobs are held by the batch.

    A bundle that several hold lies in the store once, and counts for the tenant of each.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Hold what the new job comes with."""
        self._hold(pipe, row, _bundles_of(row))

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """Hold what the job has got."""
        if after.books.results is not None and before.books.results is None:
            self._hold(pipe, after, [after.books.results])

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Hold nothing any more."""
        bundles = _bundles_of(row)
        for bundle in bundles:
            release(pipe, self._keys, bundle.digest, _holder(row), now)
        self._count(pipe, row, -sum(bundle.size_bytes for bundle in bundles))

    def _hold(self, pipe: Pipeline, row: Row, bundles: list[Bundle]) -> None:
        for bundle in bundles:
            hold(pipe, self._keys, bundle.digest, _holder(row))
        self._count(pipe, row, sum(bundle.size_bytes for bundle in bundles))

    def _count(self, pipe: Pipeline, row: Row, size_bytes: int) -> None:
        pipe.hincrby(self._keys.stored_bytes, row.books.tenant, size_bytes)


def _holder(row: Row) -> str:
    return f"job:{row.job.id}"


def _bundles_of(row: Row) -> list[Bundle]:
    inputs = row.books.inputs if row.books.batch is None else None
    return [bundle for bundle in (inputs, row.books.results) if bundle is not None]
