"""Where in the queue each job is, in forward passes."""

from __future__ import annotations

from typing import Final

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.records import JobStatus
from service.jobs.registers.register import Change

__all__ = ["Places"]

# Places lie on a scale that only grows: behind all that ever entered, or right before whoever is the first.
_TAKE_PLACE: Final = """
local cost, place = tonumber(ARGV[2])
local first = ARGV[3] == 'front' and redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if first then
    place = first - cost
else
    place = redis.call('INCRBY', KEYS[2], ARGV[2]) - cost
end
redis.call('ZADD', KEYS[1], place, ARGV[1])
redis.call('HSET', KEYS[3], 'place', string.format('%.0f', place))
"""


class Places:
    """A sorted set of the jobs in the queue, so that a job's distance from the first says what is before it."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """A new job that is enqueued is behind all others."""
        if _is_in_queue(row):
            self._take_place(pipe, row, at_front=False)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """A job that enters the queue gets a place, and loses it when it leaves."""
        if change.enters is not None:
            self._take_place(pipe, after, at_front=change.at_front)
        elif not _is_in_queue(after):
            pipe.zrem(self._keys.places, after.job.id)

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """A job that has ended has no place."""

    def _take_place(self, pipe: Pipeline, row: Row, *, at_front: bool) -> None:
        keys = (self._keys.places, self._keys.entered_passes, self._keys.job(row.job.id))
        end = "front" if at_front else "back"
        pipe.eval(_TAKE_PLACE, len(keys), *keys, row.job.id, str(row.books.cost_passes), end)


def _is_in_queue(row: Row) -> bool:
    return row.job.status is JobStatus.QUEUED and row.books.entry is not None
