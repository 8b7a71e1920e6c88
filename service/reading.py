"""Reading jobs for the requests of one event loop: those that ask at the same time share a round trip."""

from __future__ import annotations

import asyncio
from typing import Final

from redis import RedisError

from service.jobs._ledger import Fields
from service.jobs._rows import Row
from service.jobs.estimates import UNKNOWN, Estimate, Estimator
from service.jobs.repository import JobRepository

__all__ = ["JobReader"]

_MOST_AT_ONCE: Final = 100


class JobReader:
    """Reads jobs in a thread, one batch after another.

    The client of Redis blocks. Were each request to read in a thread of its own, the threads and the event loop would
    spend most of their time on waiting for each other.

    Args:
        repository: where jobs are.
        estimator: what may be said of their future.
    """

    def __init__(self, repository: JobRepository, estimator: Estimator) -> None:
        self._repository = repository
        self._estimator = estimator
        self._asked: list[tuple[str, asyncio.Future[Fields]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def row(self, job_id: str, *, tenant: str) -> Row:
        """All that is known of a tenant's job.

        Raises:
            JobNotFoundError: no job of the tenant has this id, or it cannot be one.
            JobUnreadableError: another version of this program has written it.
            redis.RedisError: Redis did not answer.
        """
        future: asyncio.Future[Fields] = asyncio.get_running_loop().create_future()
        self._asked.append((job_id, future))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return self._repository.decoded(job_id, await future, tenant=tenant)

    async def estimate(self, row: Row) -> Estimate:
        """What may be said of a job's future: nothing, where Redis does not tell."""
        if row.job.status.is_terminal:
            return UNKNOWN
        if self._estimator.is_old:
            try:
                await asyncio.to_thread(self._estimator.traffic)
            except RedisError:
                return UNKNOWN
        return self._estimator.of(row, look=False)

    async def _read(self) -> None:
        while self._asked:
            batch, self._asked = self._asked[:_MOST_AT_ONCE], self._asked[_MOST_AT_ONCE:]
            try:
                found = await asyncio.to_thread(self._repository.fetch, [job_id for job_id, _ in batch])
            except Exception as error:  # whatever it is, nobody may wait for ever
                # Nor for one time-out after the other: who came meanwhile would learn nothing else.
                failed, self._asked = [*batch, *self._asked], []
                for _, future in failed:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), fields in zip(batch, found, strict=True):
                if not future.done():
                    future.set_result(fields)
