"""The batches of a service, for programs that do other things meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar, Unpack

from fixlip.client import _batch_operations as operations
from fixlip.client._batch_models import Batch, BatchSummary
from fixlip.client._batch_operations import FILES, BatchOrId, batch_path
from fixlip.client._batch_submissions import BatchSubmission, submit_batch
from fixlip.client._connection import LONG_POLL_S, Patience
from fixlip.client._operations import POLL_S, Operation
from fixlip.client.errors import BatchTimeoutError, ConflictError

__all__ = ["AsyncBatches"]

T = TypeVar("T")


class _Do(Protocol):
    async def __call__(self, operation: Operation[T], /) -> T: ...


class AsyncBatches:
    """:class:`~fixlip.client.Batches` for asyncio: the same methods, awaited or iterated over with ``async``.

    Args:
        do: has an operation done.
        fetch: writes what is at a path to a file.
    """

    def __init__(self, do: _Do, fetch: Callable[[str, Path], Awaitable[None]]) -> None:
        self._do = do
        self._fetch = fetch

    async def submit(self, **submission: Unpack[BatchSubmission]) -> Batch:
        """Submit a batch: ``submit(pairs=[{"image": Path("a.jpg"), "caption": "a dog"}], methods=[...])``.

        Raises:
            OSError: a file cannot be read.
        """
        return await self._do(submit_batch(submission))

    async def get(self, batch: BatchOrId) -> Batch:
        """How a batch stands."""
        return await self._do(operations.get(batch))

    async def wait(self, batch: BatchOrId, *, within_s: float | None = None) -> Batch:
        """The batch once it has ended.

        Raises:
            BatchTimeoutError: it has not within ``within_s`` seconds.
        """
        patience = Patience(within_s)
        while not (seen := await self._do(operations.get(batch, wait_s=patience.at_most(LONG_POLL_S)))).is_final:
            if patience.is_over:
                raise BatchTimeoutError(seen)
            await asyncio.sleep(patience.at_most(POLL_S))
        return seen

    async def follow(self, batch: BatchOrId) -> AsyncIterator[Batch]:
        """The batch as it stands whenever it has got on, until it has ended; the last one has."""
        seen = await self.get(batch)
        yield seen
        while not seen.is_final:
            await asyncio.sleep(POLL_S)
            seen, before = await self.get(batch), seen
            if seen != before:
                yield seen

    async def cancel(self, batch: BatchOrId) -> Batch:
        """Ask that a batch be stopped; what has ended by then stays."""
        try:
            return await self._do(operations.cancel(batch))
        except ConflictError:
            seen = await self.get(batch)
            if seen.cancel_requested_at is None:
                raise
            return seen  # by an earlier try, whose answer was lost

    async def retry(self, batch: BatchOrId) -> Batch:
        """Ask again for what has no result, in a batch that has ended."""
        return await self._do(operations.retry(batch))

    async def delete(self, batch: BatchOrId) -> None:
        """Remove a batch that has ended, with its jobs and their files."""
        await self._do(operations.delete(batch))

    async def newest(self, *, page_size: int = 50) -> AsyncIterator[Batch]:
        """The batches, the newest first; asked for by pages."""
        token: str | None = ""
        while token is not None:
            page = await self._do(operations.page(token, page_size=page_size))
            for batch in page.items:
                yield batch
            token = page.next_page_token

    async def summary(self, batch: BatchOrId) -> BatchSummary:
        """Means with intervals of each way to explain, and every two of them on the same pairs."""
        return await self._do(operations.summary(batch))

    async def download(self, batch: BatchOrId, folder: Path) -> list[Path]:
        """Write the results to ``folder``: item by item, as tables, and in brief; of a batch that runs, what there is.

        Raises:
            OSError: a file cannot be written.
        """
        for name in FILES:
            await self._fetch(batch_path(batch, name.removesuffix(".json")), folder / name)
        return [folder / name for name in FILES]
