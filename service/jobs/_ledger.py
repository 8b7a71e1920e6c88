"""How jobs lie in Redis: a hash for each, and sets of the open ones, every change of them one transaction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json, to_json
from redis import Redis, RedisError, WatchError
from redis.client import Pipeline
from redis.typing import EncodableT, FieldT

from service.jobs._keys import Keys, text
from service.jobs.errors import JobNotFoundError, JobUnreadableError
from service.jobs.leases import Lease
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobStatus, is_job_id

__all__ = ["Books", "Change", "Ledger", "Row", "encode"]

_MAX_CONFLICTS: Final = 100


class Books(BaseModel):
    """What is noted of a job for the service's own use.

    Attributes:
        worker: who holds its lease, or held it when it ended.
        entry: its place in the queue, or the one from which it was taken; None where it waits for its next try.
        alone: whether the worker runs it with no other job beside it.
        losses: how many workers ended while they ran it.
        losses_alone: how many of these ran nothing else.
        retries: how often it was put off.
        cost_passes: forward passes that it is expected to take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker: str | None = None
    entry: str | None = None
    alone: bool = False
    losses: int = 0
    losses_alone: int = 0
    retries: int = 0
    cost_passes: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """All that is known of a job: its record, and what is noted of it."""

    job: Job
    books: Books

    def held_by(self, lease: Lease) -> bool:
        """Whether the lease is that of the job's last attempt, and nobody has taken the job back since."""
        return (self.job.attempt, self.books.worker) == (lease.attempt, lease.worker_id)

    def runs_under(self, lease: Lease) -> bool:
        """Whether the job runs, and the lease is the right to run it."""
        return self.job.status is JobStatus.RUNNING and self.held_by(lease)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to write; nothing, where a job stands as it should already.

    Attributes:
        fields: the record's and the books' fields that change.
        enters: the queue that the job enters.
        at_front: whether it enters before all others.
        leaves: the queue that its entry is taken out of.
        delay_s: how long it waits until it may enter the queue.
        lease_s: how long its worker has the right to run it.
    """

    fields: Mapping[str, Any]
    enters: JobQueue | None = None
    at_front: bool = True
    leaves: JobQueue | None = None
    delay_s: float = 0.0
    lease_s: float = 0.0


Plan = Callable[[Row], Change | None]


def encode(fields: Mapping[str, Any]) -> dict[FieldT, EncodableT]:
    """Fields as the hash holds them: each as JSON."""
    return {name: to_json(value) for name, value in fields.items()}


class Ledger:
    """Rows of jobs, and the sets and sums that are kept of them. Every method may raise ``redis.RedisError``."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    def now(self) -> float:
        """The time by Redis's clock, which all hosts share, in seconds since 1970."""
        return _seconds(self._redis.time())

    def members(self, key: str, *, until: float = math.inf) -> dict[str, float]:
        """Members of a sorted set whose score is at most ``until``, with it, lowest first."""
        found: list[Any] = self._redis.zrangebyscore(key, "-inf", until, withscores=True)
        return {text(member): float(score) for member, score in found}

    def insert(self, job: Job, books: Books, *, queue: JobQueue | None) -> None:
        """Write a new job's row and enqueue it, all in one transaction; without a queue it is delayed by nothing."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.multi()
            entry = queue.enqueue(job.id, pipeline=pipe) if queue is not None else None
            row = Row(job, books.model_copy(update={"entry": entry}))
            pipe.hset(self._keys.job(job.id), mapping=encode({**dict(row.job), **dict(row.books)}))
            pipe.zadd(str(self._set_of(row)), {job.id: job.created_at.timestamp()})
            pipe.incrby(self._keys.queued_passes, books.cost_passes)
            pipe.execute()

    def row(self, job_id: str) -> Row:
        """A job's row.

        Raises:
            JobNotFoundError: no job has this id, or it cannot be one.
            JobUnreadableError: another version of this program has written it.
        """
        return self._read(self._redis, job_id)

    def change(self, job_id: str, plan: Plan) -> Row | None:
        """Write what ``plan`` makes of the row as it is and, while this is written, remains.

        Returns:
            The row as it now stands; None when the plan gives None, or there is no such job.

        Raises:
            JobUnreadableError: another version of this program has written it.
        """
        for _ in range(_MAX_CONFLICTS):
            try:
                with self._redis.pipeline(transaction=True) as pipe:
                    return self._try_to_change(pipe, job_id, plan)
            except WatchError as conflict:
                # To redis-py a lost connection is a conflict too. Its cause is the truth: the server is gone, or is no
                # longer the master, and must not be asked on and on.
                if isinstance(conflict.__context__, RedisError):
                    raise conflict.__context__ from None
        raise WatchError(f"{_MAX_CONFLICTS} others changed job {job_id} meanwhile")

    def _read(self, redis: Redis, job_id: str) -> Row:
        fields = redis.hgetall(self._keys.job(job_id)) if is_job_id(job_id) else {}
        if not fields:
            raise JobNotFoundError(job_id)
        try:
            return _parse({text(name): from_json(value) for name, value in fields.items()})
        except ValueError as error:
            raise JobUnreadableError(job_id, str(error)) from error

    def _try_to_change(self, pipe: Pipeline, job_id: str, plan: Plan) -> Row | None:
        pipe.watch(self._keys.job(job_id))
        try:
            row = self._read(pipe, job_id)
        except JobNotFoundError:
            return None
        change = plan(row)
        if change is None or not change.fields:
            return row if change else None
        now = _seconds(pipe.time())
        pipe.multi()
        after = self._write(pipe, row, change)
        if "status" in change.fields:
            self._move(pipe, row, after, change, now)
        pipe.execute()
        return after

    def _write(self, pipe: Pipeline, row: Row, change: Change) -> Row:
        fields = dict(change.fields)
        if change.leaves is not None and row.books.entry is not None:
            change.leaves.remove(row.books.entry, pipeline=pipe)
        if change.enters is not None:
            fields["entry"] = change.enters.enqueue(row.job.id, at_front=change.at_front, pipeline=pipe)
        pipe.hset(self._keys.job(row.job.id), mapping=encode(fields))
        books = {name: value for name, value in fields.items() if name in Books.model_fields}
        record = {name: value for name, value in fields.items() if name not in books}
        return Row(row.job.model_copy(update=record), row.books.model_copy(update=books))

    def _move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """Put the job into the one set where it belongs, and keep the sums right."""
        job_id, keys = after.job.id, self._keys
        source, target = self._set_of(before), self._set_of(after)
        if source is not None and source != target:
            pipe.zrem(source, job_id)
        if target is not None:
            waits_since = after.job.created_at.timestamp()
            scores = {keys.queued: waits_since, keys.delayed: now + change.delay_s, keys.leases: now + change.lease_s}
            pipe.zadd(target, {job_id: scores[target]})
        was_queued, is_queued = (row.job.status is JobStatus.QUEUED for row in (before, after))
        pipe.incrby(keys.queued_passes, after.books.cost_passes * (is_queued - was_queued))
        if before.job.status is JobStatus.RUNNING and after.job.status is not JobStatus.SUCCEEDED:
            pipe.zadd(keys.leftovers, {f"{job_id}/{before.job.attempt}": now})

    def _set_of(self, row: Row) -> str | None:
        """The set of open jobs that the job is in; None for one that has ended."""
        if row.job.status is JobStatus.RUNNING:
            return self._keys.leases
        if row.job.status is JobStatus.QUEUED:
            return self._keys.delayed if row.books.entry is None else self._keys.queued
        return None


def _seconds(time: tuple[int, int]) -> float:
    return time[0] + time[1] / 1e6


def _parse(values: dict[str, Any]) -> Row:
    """The row in a hash; fields that other versions of this program write are left alone."""
    record, books = ({name: values[name] for name in kind.model_fields if name in values} for kind in (Job, Books))
    return Row(Job.model_validate(record), Books.model_validate(books))
