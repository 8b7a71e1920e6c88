"""The batches of a service, for programs that wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar, Unpack

from fixlip.client import _batch_operations as operations
from fixlip.client._batch_models import Batch, BatchSummary
from fixlip.client._batch_operations import FILES, BatchOrId, batch_path
from fixlip.client._batch_submissions import BatchSubmission, submit_batch
from fixlip.client._connection import LONG_POLL_S, Patience
from fixlip.client._operations import POLL_S, Operation
from fixlip.client.errors import BatchTimeoutError, ConflictError

__all__ = ["Batches"]

T = TypeVar("T")


class _Do(Protocol):
    def __call__(self, operation: Operation[T], /) -> T: ...


class Batches:
    """Many explanations that are asked for as one. Every method raises :class:`~fixlip.client.ServiceError`.

    Args:
        do: has an operation done.
        fetch: writes what is at a path to a file.
    """

    def __init__(self, do: _Do, fetch: Callable[[str, Path], None]) -> None:
        self._do = do
        self._fetch = fetch

    def submit(self, **submission: Unpack[BatchSubmission]) -> Batch:
        """Submit a batch: ``submit(pairs=[{"image": Path("a.jpg"), "caption": "a dog"}], methods=[...])``.

        Raises:
            OSError: a file cannot be read.
        """
        return self._do(submit_batch(submission))

    def get(self, batch: BatchOrId) -> Batch:
        """How a batch stands."""
        return self._do(operations.get(batch))

    def wait(self, batch: BatchOrId, *, within_s: float | None = None) -> Batch:
        """The batch once it has ended.

        Raises:
            BatchTimeoutError: it has not within ``within_s`` seconds.
        """
        patience = Patience(within_s)
        while not (seen := self._do(operations.get(batch, wait_s=patience.at_most(LONG_POLL_S)))).is_final:
            if patience.is_over:
                raise BatchTimeoutError(seen)
            time.sleep(patience.at_most(POLL_S))
        return seen

    def follow(self, batch: BatchOrId) -> Iterator[Batch]:
        """The batch as it stands whenever it has got on, until it has ended; the last one has."""
        yield (seen := self.get(batch))
        while not seen.is_final:
            time.sleep(POLL_S)
            seen, before = self.get(batch), seen
            if seen != before:
                yield seen

    def cancel(self, batch: BatchOrId) -> Batch:
        """Ask that a batch be stopped; what has ended by then stays."""
        try:
            return self._do(operations.cancel(batch))
        except ConflictError:
            seen = self.get(batch)
            if seen.cancel_requested_at is None:
                raise
            return seen  # by an earlier try, whose answer was lost

    def retry(self, batch: BatchOrId) -> Batch:
        """Ask again for what has no result, in a batch that has ended."""
        return self._do(operations.retry(batch))

    def delete(self, batch: BatchOrId) -> None:
        """Remove a batch that has ended, with its jobs and their files."""
        self._do(operations.delete(batch))

    def newest(self, *, page_size: int = 50) -> Iterator[Batch]:
        """The batches, the newest first; asked for by pages."""
        token: str | None = ""
        while token is not None:
            page = self._do(operations.page(token, page_size=page_size))
            yield from page.items
            token = page.next_page_token

    def summary(self, batch: BatchOrId) -> BatchSummary:
        """Means with intervals of each way to explain, and every two of them on the same pairs."""
        return self._do(operations.summary(batch))

    def download(self, batch: BatchOrId, folder: Path) -> list[Path]:
        """Write the results to ``folder``: item by item, as tables, and in brief; of a batch that runs, what there is.

        Raises:
            OSError: a file cannot be written.
        """
        for name in FILES:
            self._fetch(batch_path(batch, name.removesuffix(".json")), folder / name)
        return [folder / name for name in FILES]
