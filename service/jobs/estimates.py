"""When a job will begin and how long it will take, as far as anybody can know."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import from_json
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs._rows import Row
from service.jobs.rates import Pace, Rates
from service.jobs.records import JobStatus, utc_now

__all__ = ["UNKNOWN", "Estimate", "Estimator", "Running", "Traffic"]

_LOOK_EVERY_S: Final = 1.0
_POLL_S: Final = (1, 10)
_RETRY_S: Final = (1, 600)
_RETRY_UNKNOWN_S: Final = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """What may be said of an open job.

    Attributes:
        start: when it will begin; None where it has begun, or where nobody knows.
        duration_s: seconds from its beginning to its end; None where nobody knows.
        end_in_s: seconds until its end, None likewise.
    """

    start: datetime | None = None
    duration_s: float | None = None
    end_in_s: float | None = None

    @property
    def poll_after_s(self) -> int:
        """Seconds until it is worth asking again: soon when the end is near, and seldom when it is far."""
        return _within(_POLL_S, (self.end_in_s or 0.0) / 4)


UNKNOWN: Final = Estimate()
"""Nothing can be said."""


@dataclass(frozen=True, slots=True)
class Running:
    """A job that runs: its model, and the passes that it will still take."""

    model_id: str
    remaining_passes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The queue and the workers at one moment.

    Attributes:
        paces: of the workers alive.
        running: the jobs that run.
        queued: number of jobs that wait.
        queued_passes: passes that they will take.
        first_place: the place of the first of them.
        next_place: the place of whoever comes next.
    """

    paces: Sequence[Pace] = ()
    running: Sequence[Running] = ()
    queued: int = 0
    queued_passes: int = 0
    first_place: float = 0.0
    next_place: float = 0.0

    @property
    def passes_per_s(self) -> float:
        """Passes of all workers together, as far as they are known."""
        return sum(pace.passes_per_s or 0.0 for pace in self.paces)

    def estimate(self, row: Row, *, now: datetime) -> Estimate:
        """What may be said of a job."""
        job = row.job
        if job.status.is_terminal or job.cancel_requested_at is not None:
            return UNKNOWN
        paces = [pace for pace in self.paces if pace.is_known and job.model.id in pace.models]
        if not paces:
            return UNKNOWN
        served = {model_id for pace in paces for model_id in pace.models}
        running = [one.remaining_passes for one in self.running if one.model_id in served]
        cost_passes = row.books.cost_passes
        line = _Line(paces, running, mean_passes=self.queued_passes / self.queued if self.queued else cost_passes)
        if job.status is JobStatus.RUNNING:
            return _of_running(row, line, self.queued, now)
        if row.books.entry is None:
            return UNKNOWN  # it is put off
        jobs_before = line.jobs_of(self._passes_before(row))
        start_in_s = line.start_in_s(jobs_before)
        beside = max(self.queued, jobs_before + 1)
        duration_s = line.passes_s(cost_passes, queued=beside) + line.tail_s(job.method)
        return Estimate(now + timedelta(seconds=start_in_s), duration_s, start_in_s + duration_s)

    def _passes_before(self, row: Row) -> float:
        """Passes of the jobs that will begin before this one, which waits."""
        place, cost = row.books.place, row.books.cost_passes
        if place is None:
            return max(0.0, self.queued_passes - cost)
        # Jobs that were canceled have left gaps between the places, but not in the sum.
        most = self.queued_passes + place - self.next_place if place >= self.next_place else self.queued_passes - cost
        return max(0.0, min(place - self.first_place, most))


class _Line:
    """The workers that a job may run on, and what they have to do before.

    Each slot of a worker runs one job at a time. While they are at their passes its jobs share the device, and what
    comes after is each one's own. So the slots stand before the device like the customers of a closed queue with one
    server and a delay, whose mean times are known (mean value analysis: Reiser and Lavenberg, 1980).
    """

    def __init__(self, paces: Sequence[Pace], running: Sequence[float], *, mean_passes: float) -> None:
        self._paces = paces
        self._running = running
        self._mean_passes = max(1.0, mean_passes)
        self._slots = max(sum(pace.slots for pace in paces), len(running))
        self._device_passes_per_s = sum(pace.device_passes_per_s or 0.0 for pace in paces) / len(paces)
        self._tail_s = sum(pace.tail_s for pace in paces) / len(paces)

    def jobs_of(self, passes: float) -> int:
        """How many jobs take so many passes together, about."""
        return round(passes / self._mean_passes)

    def start_in_s(self, jobs_before: int) -> float:
        """Seconds until a job begins before which so many wait."""
        free = self._slots - len(self._running)
        ends_needed = jobs_before - free + 1
        if ends_needed <= 0:
            return 0.0
        # The first in the queue are about to take what is free.
        remaining = sorted([*self._running, *[self._mean_passes] * free])
        rounds, slot = divmod(ends_needed - 1, self._slots)
        return self._until_end_s(remaining[slot]) + rounds * self._until_end_s(self._mean_passes)

    def passes_s(self, passes: float, *, queued: int) -> float:
        """Seconds that the passes of one job take beside those of the jobs that run and of so many that wait."""
        beside = max(1, min(self._slots, len(self._running) + queued))
        return passes / self._device_passes_per_s * self._stretch(beside)

    def tail_s(self, method: str) -> float:
        """Seconds that a job takes after its passes; as jobs do where its method has not been seen yet."""
        known = [pace.tail_s_of[method] for pace in self._paces if method in pace.tail_s_of]
        return sum(known) / len(known) if known else self._tail_s

    def _until_end_s(self, passes: float) -> float:
        """Seconds until a job ends that has so many passes before it, while no slot is free."""
        return passes / self._device_passes_per_s * self._stretch(self._slots) + self._tail_s

    def _stretch(self, jobs: int) -> float:
        """How many times as long as alone a job is at its passes when so many jobs run on all workers."""
        alone_s = self._mean_passes / self._device_passes_per_s
        stretch, at_device = 1.0, 0.0
        for number in range(1, -(-jobs // len(self._paces)) + 1):
            stretch = 1 + at_device
            at_device = number * stretch * alone_s / (stretch * alone_s + self._tail_s)
        return stretch


class Estimator:
    """Estimates of jobs, from a look at the queue and the workers that is at most a second old.

    Several threads may use it. Every method may raise ``redis.RedisError``.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)
        self._rates = Rates(redis, key_prefix)
        self._lock = threading.Lock()
        self._traffic = Traffic()
        self._looked_at = float("-inf")

    @property
    def is_old(self) -> bool:
        """Whether it is time for another look."""
        return time.monotonic() - self._looked_at > _LOOK_EVERY_S

    def of(self, row: Row, *, look: bool = True) -> Estimate:
        """What may be said of a job; without ``look``, by the last one."""
        if row.job.status.is_terminal:
            return UNKNOWN
        return (self.traffic() if look else self._traffic).estimate(row, now=utc_now())

    def retry_after_s(self, passes: float) -> int:
        """Seconds until the workers will have made so many passes of the queue's, within reason."""
        rate = self.traffic().passes_per_s
        return _within(_RETRY_S, passes / rate) if rate else _RETRY_UNKNOWN_S

    def queued_passes(self) -> int:
        """Passes that wait at this very moment."""
        return int(self._redis.get(self._keys.queued_passes) or 0)

    def traffic(self) -> Traffic:
        """The queue and the workers, now or a second ago."""
        # Who comes while another looks does not wait: where Redis does not answer, all would, one after the other.
        if self.is_old and self._lock.acquire(blocking=False):
            try:
                self._traffic = self._look()
                self._looked_at = time.monotonic()
            finally:
                self._lock.release()
        return self._traffic

    def _look(self) -> Traffic:
        keys = self._keys
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.time()
            pipe.zcard(keys.queued)
            pipe.zcard(keys.delayed)
            pipe.mget(keys.queued_passes, keys.entered_passes)
            pipe.zrange(keys.places, 0, 0, withscores=True)
            pipe.zrange(keys.leases, 0, -1)
            (seconds, micros), queued, delayed, (queued_passes, entered), first, leased = pipe.execute()
        with self._redis.pipeline(transaction=False) as pipe:
            for job_id in leased:
                pipe.hmget(keys.job(text(job_id)), "model", "progress", "cost_passes")
            rows = pipe.execute()
        next_place = float(entered or 0)
        return Traffic(
            paces=self._rates.live(now=seconds + micros / 1e6),
            running=list(_readable(rows)),
            queued=queued + delayed,
            queued_passes=int(queued_passes or 0),
            first_place=first[0][1] if first else next_place,
            next_place=next_place,
        )


def _of_running(row: Row, line: _Line, queued: int, now: datetime) -> Estimate:
    started_at = row.job.started_at or now
    ran_s = max(0.0, (now - started_at).total_seconds())
    left = _passes_left(row.job.progress.completed, row.job.progress.total, row.books.cost_passes)
    end_in_s = line.passes_s(left, queued=queued) + line.tail_s(row.job.method)
    return Estimate(duration_s=ran_s + end_in_s, end_in_s=end_in_s)


def _readable(rows: Sequence[Sequence[Any]]) -> Iterator[Running]:
    """The running jobs, without those that are gone, or that another version of this program has written."""
    for row in rows:
        with suppress(ValueError, TypeError, KeyError):
            if all(row):
                yield _running(*map(_value, row))


def _running(model: Mapping[str, Any], progress: Mapping[str, Any], cost_passes: int) -> Running:
    return Running(str(model["id"]), _passes_left(progress["completed"], progress["total"], cost_passes))


def _passes_left(completed: int, total: int, cost_passes: int) -> float:
    return cost_passes * (1 - completed / total) if total else float(cost_passes)


def _value(data: bytes) -> Any:
    return from_json(data)


def _within(bounds: tuple[int, int], seconds: float) -> int:
    least, most = bounds
    return round(min(max(seconds, least), most))
