"""How many of each batch's jobs stand where, and when the last of them has ended, of which somebody may be told."""

from __future__ import annotations

from typing import Final

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.records import JobStatus
from service.jobs.registers.register import Change

__all__ = ["BATCH_WORDS", "Batches", "batch_keys"]

BATCH_WORDS: Final = """
local batch, counts, waiting, dropped, failures, retries, open_jobs, to_feed, canceling, ended, in_queue, outbox =
    unpack(KEYS)

local function count(name)
    return tonumber(redis.call('HGET', counts, name) or 0)
end

local function instant()
    local time = redis.call('TIME')
    return string.format('%.6f', time[1] + time[2] / 1e6)
end

local function end_if_over(id, now)
    if count('succeeded') + count('failed') + count('canceled') + count('expired') == count('total') then
        redis.call('HSET', counts, 'completed_at', now)
        redis.call('ZADD', ended, now, id)
        redis.call('SREM', canceling, id)
        local letter = redis.call('HGET', batch, 'letter')
        if letter then
            redis.call('ZADD', outbox, now, letter)
        end
    end
end
"""
"""How scripts about a batch begin; their keys are :func:`batch_keys`."""

# In the transaction that writes a job: each of its moves is counted once, whoever makes it and however often.
_COUNT: Final = f"""{BATCH_WORDS}
local id, index, job_id, before, after, now = unpack(ARGV)
if redis.call('EXISTS', batch) == 0 then
    redis.call('SREM', in_queue, job_id)
    return
end
if before == '' then
    redis.call('ZREM', waiting, index)
    if redis.call('EXISTS', waiting) == 0 then
        redis.call('ZREM', to_feed, id)
    end
else
    redis.call('HINCRBY', counts, before, -1)
end
redis.call('HINCRBY', counts, after, 1)
local is_open = after == 'queued' or after == 'delayed' or after == 'running'
redis.call(after == 'queued' and 'SADD' or 'SREM', in_queue, job_id)
redis.call(is_open and 'SADD' or 'SREM', open_jobs, job_id)
if after == 'running' or after == 'succeeded' then
    redis.call('HSETNX', counts, 'started_at', now)
end
if not is_open then
    if after ~= 'succeeded' then
        redis.call('SADD', failures, index)
    end
    end_if_over(id, now)
end
"""


def batch_keys(keys: Keys, batch_id: str) -> list[str]:
    """The keys of a script about a batch, in the order in which :data:`BATCH_WORDS` names them."""
    return [
        keys.batch(batch_id),
        keys.batch_counts(batch_id),
        keys.batch_waiting(batch_id),
        keys.batch_dropped(batch_id),
        keys.batch_failures(batch_id),
        keys.batch_retries(batch_id),
        keys.batch_open_jobs(batch_id),
        keys.batches_to_feed,
        keys.canceling_batches,
        keys.ended_batches,
        keys.batch_jobs_in_queue,
        keys.outbox,
    ]


class Batches:
    """For each batch, how many of its jobs wait, run, and have ended how; for all, which jobs are in the queue.

    A job that is put off is out of the queue, and counted apart.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """An item has become a job."""
        self._count(pipe, row, "", _stage_of(row), now)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """A job goes on; with the last that ends, its batch ends."""
        if _stage_of(before) != _stage_of(after):
            self._count(pipe, after, _stage_of(before), _stage_of(after), now)

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """It is counted among those that have ended, though it is there no more."""

    def _count(self, pipe: Pipeline, row: Row, before: str, after: str, now: float) -> None:
        if (place := row.books.batch) is None:
            return
        keys = batch_keys(self._keys, place.batch_id)
        pipe.eval(_COUNT, len(keys), *keys, place.batch_id, str(place.index), row.job.id, before, after, f"{now:.6f}")


def _stage_of(row: Row) -> str:
    is_put_off = row.job.status is JobStatus.QUEUED and row.books.entry is None
    return "delayed" if is_put_off else row.job.status.value
