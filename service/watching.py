"""Waiting for jobs, or batches, to change: many who wait cost one look at Redis every quarter of a second."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Generic, Protocol, TypeVar

import structlog

__all__ = ["LOOK_EVERY_S", "Watcher"]

LOOK_EVERY_S: Final = 0.25
_REST_PER_LOOK: Final = 5  # looking takes at most a sixth of the time, however many are watched

_log = structlog.get_logger(__name__)


class _Standing(Protocol):
    @property
    def is_final(self) -> bool:
        """Whether it stands so for good."""


S = TypeVar("S", bound=_Standing)
S_co = TypeVar("S_co", bound=_Standing, covariant=True)


class _Standings(Protocol[S_co]):
    def read(self, ids: Sequence[str], /) -> Mapping[str, S_co | None]:
        """How each stands, None where there is none; those that cannot be read are left out."""


class Watcher(Generic[S]):
    """Tells those who wait how their jobs stand as soon as that changes. All of it happens in one event loop.

    Args:
        standings: where to look.
        look_every_s: seconds between looks, as long as somebody waits.
    """

    def __init__(self, standings: _Standings[S], *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._standings = standings
        self._look_every_s = look_every_s
        self._waiters: defaultdict[str, list[tuple[S, asyncio.Future[S | None]]]] = defaultdict(list)
        self._awaited = asyncio.Event()
        self._is_closed = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look for as long as the block runs."""
        self._awaited, self._is_closed = asyncio.Event(), False
        looking = asyncio.create_task(self._look_again_and_again())
        try:
            yield
        finally:
            self.close()
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    def close(self) -> None:
        """Let everybody go who waits, or will."""
        self._is_closed = True
        for waiters in self._waiters.values():
            for _, future in waiters:
                if not future.done():
                    future.set_exception(TimeoutError("the service stops"))

    async def change(self, job_id: str, since: S) -> S | None:
        """Wait until the job stands otherwise than ``since``; trouble with Redis is waited out.

        Returns:
            How it stands then; None where it has been removed.

        Raises:
            TimeoutError: the service stops.
        """
        if self._is_closed:
            raise TimeoutError("the service stops")
        future: asyncio.Future[S | None] = asyncio.get_running_loop().create_future()
        waiter = (since, future)
        self._waiters[job_id].append(waiter)
        self._awaited.set()
        try:
            return await future
        finally:
            self._waiters[job_id].remove(waiter)
            if not self._waiters[job_id]:
                del self._waiters[job_id]

    async def end(self, job_id: str, since: S, *, within_s: float) -> None:
        """Wait until the job has ended or is removed, the time is over, or the service stops."""
        standing: S | None = since
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while standing is not None and not standing.is_final:
                    standing = await self.change(job_id, standing)

    async def _look_again_and_again(self) -> None:
        clock = asyncio.get_running_loop().time
        look_s, is_blind = 0.0, False
        while True:
            await self._awaited.wait()
            await asyncio.sleep(max(self._look_every_s, _REST_PER_LOOK * look_s))
            if not self._waiters:
                self._awaited.clear()
                continue
            began = clock()
            try:
                await self._look()
                is_blind = False
            except Exception as error:  # whatever it is: without looks, who waits would never be told
                if not is_blind:
                    _log.warning("jobs_not_watched", error=str(error) or type(error).__name__)
                is_blind = True
            look_s = clock() - began

    async def _look(self) -> None:
        # In a thread: the client of Redis blocks, and knows how to find the master after a failover.
        standings = await asyncio.to_thread(self._standings.read, list(self._waiters))
        for job_id, standing in standings.items():
            for since, future in self._waiters.get(job_id, ()):
                if standing != since and not future.done():
                    future.set_result(standing)
