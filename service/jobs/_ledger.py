"""How jobs lie in Redis: a hash for each, and what the registers keep of them, every change of them one transaction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

from redis import Redis, RedisError, WatchError
from redis.client import Pipeline

from service.jobs._keys import Keys, text
from service.jobs._removing import remove
from service.jobs._rows import BatchPlace, Books, Row, decode, encode
from service.jobs.errors import JobNotFoundError, JobUnreadableError
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobStatus, is_job_id
from service.jobs.registers.every import every_register
from service.jobs.registers.register import Change

__all__ = ["Fields", "Ledger"]

Fields: TypeAlias = Mapping[bytes | str, bytes | str]
"""What Redis holds of a job."""

_MAX_CONFLICTS: Final = 100

Plan = Callable[[Row], Change | None]
_T = TypeVar("_T")


class Ledger:
    """Rows of jobs, and the registers that are kept of them. Every method may raise ``redis.RedisError``.

    Args:
        redis: where they lie.
        keys: names of their keys.
        retention_s: how long a job is kept once it has ended, seconds; 0: for ever.
    """

    def __init__(self, redis: Redis, keys: Keys, *, retention_s: int = 0) -> None:
        self._redis = redis
        self._keys = keys
        self._retention_s = retention_s
        self._registers = every_register(keys)

    def now(self) -> float:
        """The time by Redis's clock, which all hosts share, in seconds since 1970."""
        return _seconds(self._redis.time())

    def members(self, key: str, *, until: float = math.inf, most: int | None = None) -> dict[str, float]:
        """Members of a sorted set whose score is at most ``until``, with it, lowest first; no more than ``most``."""
        start = None if most is None else 0
        found: list[Any] = self._redis.zrangebyscore(key, "-inf", until, start=start, num=most, withscores=True)
        return {text(member): float(score) for member, score in found}

    def insert(self, job: Job, books: Books, *, queue: JobQueue | None) -> Row | None:
        """Write a new job's row and enqueue it, all in one transaction; without a queue it is delayed by nothing.

        Returns:
            The row as it was written; None where there is a job of this id already: a lost answer, asked for again;
            or where it is of a batch that does not wait for it.
        """
        return self._in_transaction(job.id, lambda pipe: self._try_to_insert(pipe, job, books, queue))

    def row(self, job_id: str) -> Row:
        """A job's row.

        Raises:
            JobNotFoundError: no job has this id, or it cannot be one.
            JobUnreadableError: another version of this program has written it.
        """
        return self._read(self._redis, job_id)

    def fetch(self, job_ids: Sequence[str]) -> list[Fields]:
        """What is stored of each job, nothing where there is none, in one round trip."""
        with self._redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hgetall(self._keys.job(job_id if is_job_id(job_id) else "none"))
            return pipe.execute()

    def decoded(self, job_id: str, fields: Fields) -> Row:
        """A job's row, from what is stored of it.

        Raises:
            JobNotFoundError: nothing is.
            JobUnreadableError: another version of this program has written it.
        """
        if not fields:
            raise JobNotFoundError(job_id)
        try:
            return decode(fields)
        except ValueError as error:
            raise JobUnreadableError(job_id, str(error)) from error

    def change(self, job_id: str, plan: Plan) -> Row | None:
        """Write what ``plan`` makes of the row as it is and, while this is written, remains.

        Returns:
            The row as it now stands; None when the plan gives None, or there is no such job.

        Raises:
            JobUnreadableError: another version of this program has written it.
        """
        return self._in_transaction(job_id, lambda pipe: self._try_to_change(pipe, job_id, plan))

    def remove(self, job_id: str, may: Callable[[Row], bool]) -> Row | None:
        """Remove a job that has ended, if ``may`` says so of its row.

        Returns:
            The row as it was; None where it was left, or there is no such job.

        Raises:
            JobUnreadableError: another version of this program has written it.
        """
        try:
            row = self.row(job_id)
        except JobNotFoundError:
            return None
        if not row.job.status.is_terminal or not may(row):
            return None
        now = self.now()

        def leave(pipe: Pipeline) -> None:
            for register in self._registers:
                register.leave(pipe, row, now)

        # What registers know of a job that has ended never changes, so that nobody needs to watch it meanwhile.
        return row if remove(self._redis, self._keys.job(job_id), leave) else None

    def _in_transaction(self, job_id: str, act: Callable[[Pipeline], _T]) -> _T:
        for _ in range(_MAX_CONFLICTS):
            try:
                with self._redis.pipeline(transaction=True) as pipe:
                    pipe.watch(self._keys.job(job_id))
                    return act(pipe)
            except WatchError as conflict:
                # To redis-py a lost connection is a conflict too. Its cause is the truth: the server is gone, or is no
                # longer the master, and must not be asked on and on.
                if isinstance(conflict.__context__, RedisError):
                    raise conflict.__context__ from None
        raise WatchError(f"{_MAX_CONFLICTS} others changed job {job_id} meanwhile")

    def _read(self, redis: Redis, job_id: str) -> Row:
        fields = redis.hgetall(self._keys.job(job_id)) if is_job_id(job_id) else {}
        return self.decoded(job_id, fields)

    def _try_to_insert(self, pipe: Pipeline, job: Job, books: Books, queue: JobQueue | None) -> Row | None:
        key = self._keys.job(job.id)
        if pipe.exists(key) or not (books.batch is None or self._is_awaited(pipe, books.batch)):
            return None
        now = _seconds(pipe.time())
        pipe.multi()
        entry = queue.enqueue(job.id, pipeline=pipe) if queue is not None else None
        row = Row(job, books.model_copy(update={"entry": entry}))
        row = row.with_fields(self._expiry(row, job.status, now))
        pipe.hset(key, mapping=encode({**dict(row.job), **dict(row.books)}))
        for register in self._registers:
            register.enter(pipe, row, now)
        pipe.execute()
        return row

    def _try_to_change(self, pipe: Pipeline, job_id: str, plan: Plan) -> Row | None:
        try:
            row = self._read(pipe, job_id)
        except JobNotFoundError:
            return None
        change = plan(row)
        if change is None or not change.fields:
            return row if change else None
        now = _seconds(pipe.time())
        pipe.multi()
        after = self._write(pipe, row, change, now)
        if "status" in change.fields:
            for register in self._registers:
                register.move(pipe, row, after, change, now)
        pipe.execute()
        return after

    def _write(self, pipe: Pipeline, row: Row, change: Change, now: float) -> Row:
        fields = {**change.fields, **self._expiry(row, change.fields.get("status"), now)}
        if change.leaves is not None and row.books.entry is not None:
            change.leaves.remove(row.books.entry, pipeline=pipe)
        if change.enters is not None:
            fields["entry"] = change.enters.enqueue(row.job.id, at_front=change.at_front, pipeline=pipe)
        pipe.hset(self._keys.job(row.job.id), mapping=encode(fields))
        return row.with_fields(fields)

    def _is_awaited(self, pipe: Pipeline, place: BatchPlace) -> bool:
        """Whether the batch waits for this job, which is so until somebody decides otherwise about the batch."""
        pipe.watch(self._keys.batch(place.batch_id))
        is_waiting = pipe.zscore(self._keys.batch_waiting(place.batch_id), str(place.index)) is not None
        retry = pipe.hget(self._keys.batch_retries(place.batch_id), str(place.index))
        return is_waiting and int(retry or 0) == place.retry

    def _expiry(self, row: Row, status: JobStatus | None, now: float) -> dict[str, Any]:
        """What a job that has got this status is to have written of the end of its record; a batch's goes with it."""
        if status is None or not status.is_terminal or not self._retention_s or row.books.batch is not None:
            return {}
        return {"expires_at": datetime.fromtimestamp(now + self._retention_s, UTC)}


def _seconds(time: tuple[int, int]) -> float:
    return time[0] + time[1] / 1e6
