"""A fleet of workers around one Redis, one store and some API processes, simulated from measured service times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.service_times import Kind, ServiceTimes
from benchmarks.simulation import Simulation, Station

__all__ = ["DAY_S", "PEAK", "Day", "Fleet", "Outcome", "demands", "run_s_of", "simulate", "simulate_day"]

DAY_S: Final = 86_400.0
PEAK: Final = 3.0
"""The busiest hour's load, of the mean."""
BURST_SHARE: Final = 0.3
"""Share of the jobs that come as part of a burst."""
BURST_JOBS: Final = 20
POLL_EVERY_S: Final = 1.0
STORE_BYTES_PER_S: Final = 1e9
"""A network file system on a link of 10 Gbit/s."""
STORE_FILES_PER_S: Final = 10_000.0
"""Files that it writes through to its disks."""
JOBS_SIMULATED: Final = 3_000
SHORTEST_S, LONGEST_S = 300.0, 3600.0
RECONCILE_EVERY_S: Final = 60.0
WARM_JOBS: Final = 2.0
"""Warm is the fleet after this many of its mean jobs' time."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is simulated.

    Attributes:
        workers: worker processes.
        jobs_per_day: submitted, on the mean of a day.
        speed: of a worker, in that of the measured one.
        api_processes: that answer requests.
    """

    workers: int
    jobs_per_day: float
    speed: float = 1.0
    api_processes: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the busiest hour is like.

    Attributes:
        workers: their utilisation, from 0 to 1.
        redis: that of Redis's main thread.
        api: that of the API's processes.
        store: that of the store.
        wait_s: (jobs,) seconds that jobs waited for a worker.
        submit_s: (jobs,) seconds until a submission was answered.
        poll_s: (polls,) seconds until a poll was answered.
        submitted: jobs that were submitted.
        finished: jobs that were finished.
    """

    workers: float
    redis: float
    api: float
    store: float
    wait_s: npt.NDArray[np.float64]
    submit_s: npt.NDArray[np.float64]
    poll_s: npt.NDArray[np.float64]
    submitted: int
    finished: int


@dataclass(frozen=True, slots=True)
class Day:
    """What a day is like for the workers.

    Attributes:
        utilisation: of the workers over the day.
        wait_s: (jobs,) seconds that jobs waited, in the order of their submission.
        behind_s: seconds of work per worker that were left at the day's end.
    """

    utilisation: float
    wait_s: npt.NDArray[np.float64]
    behind_s: float


def run_s_of(times: ServiceTimes, fleet: Fleet) -> float:
    """Mean seconds that a worker takes for a job."""
    return sum(kind.share * kind.run_s for kind in times.kinds.values()) / fleet.speed


def demands(times: ServiceTimes, fleet: Fleet) -> dict[str, float]:
    """Utilisation of each part at the mean of the day, by the utilisation law: how much of it every second takes.

    A worker's is of all workers, the API's of all its processes. More than 1 cannot be served.
    """
    run_s = run_s_of(times, fleet)
    polls = run_s / POLL_EVERY_S + 1
    store_s = sum(kind.share * _store_s(kind) for kind in times.kinds.values())
    redis_s = times.submit.redis_s + polls * times.poll.redis_s + times.download.redis_s
    redis_s += times.run.redis_s + run_s * times.running_second.redis_s
    api_s = times.submit.api_s + polls * times.poll.api_s + times.download.api_s
    rate = fleet.jobs_per_day / DAY_S
    return {
        "workers": rate * run_s / fleet.workers,
        "redis": rate * redis_s + fleet.workers * times.idle_second.redis_s,
        "api": rate * api_s / fleet.api_processes,
        "store": rate * store_s,
    }


def simulate(times: ServiceTimes, fleet: Fleet, *, seed: int = 0, span_s: float | None = None) -> Outcome:
    """The busiest hour, or ``span_s`` seconds of it; by default as long as gives enough jobs, and not too many."""
    rate = PEAK * fleet.jobs_per_day / DAY_S
    span_s = span_s or min(max(JOBS_SIMULATED / rate, SHORTEST_S), LONGEST_S)
    return _Hour(times, fleet, rate, span_s, np.random.default_rng(seed)).run()


def simulate_day(times: ServiceTimes, fleet: Fleet, *, seed: int = 0) -> Day:
    """Every job of a day before the workers alone; its busiest moment has ``PEAK`` times the mean load."""
    rng = np.random.default_rng(seed)
    simulation = Simulation(DAY_S)
    station = Station(simulation, fleet.workers)
    kinds = list(times.kinds.values())
    arrivals_s = _arrivals_of_day(rng, round(fleet.jobs_per_day))
    drawn = rng.choice(len(kinds), size=len(arrivals_s), p=[kind.share for kind in kinds])
    service_s = np.array([kind.run_s / fleet.speed for kind in kinds])[drawn]
    last_s = 0.0
    for arrival_s, run_s in zip(arrivals_s.tolist(), service_s.tolist(), strict=True):
        simulation.now_s = arrival_s
        last_s = max(last_s, station.visit(run_s).begin_s)
    return Day(station.utilisation, station.waits_s, max(last_s - DAY_S, 0.0))


class _Hour:
    """One run of the simulation."""

    def __init__(self, times: ServiceTimes, fleet: Fleet, rate: float, span_s: float, rng: np.random.Generator) -> None:
        self._times = times
        self._fleet = fleet
        self._rate = rate
        self._rng = rng
        self._kinds = list(times.kinds.values())
        self._shares = np.cumsum([kind.share for kind in self._kinds])
        warm_s = WARM_JOBS * run_s_of(times, fleet)
        self._clock = Simulation(span_s + warm_s, warm_s=warm_s)
        self._api = Station(self._clock, fleet.api_processes)
        self._redis = Station(self._clock)
        self._store = Station(self._clock)
        self._workers = Station(self._clock, fleet.workers)
        self._submit_s: list[float] = []
        self._poll_s: list[float] = []
        self._begun = self._finished = 0

    def run(self) -> Outcome:
        for _ in range(self._fleet.workers):
            self._clock.at(self._rng.random(), self._live)
        self._clock.at(0.0, self._arrive)
        self._clock.at(0.0, self._reconcile)
        self._clock.run()
        return Outcome(
            self._workers.utilisation,
            self._redis.utilisation,
            self._api.utilisation,
            self._store.utilisation,
            self._workers.waits_s,
            np.array(self._submit_s),
            np.array(self._poll_s),
            len(self._submit_s),
            self._finished,
        )

    def _live(self) -> None:
        """A second of a worker process, job or none."""
        self._redis.visit(self._times.idle_second.redis_s)
        self._clock.at(self._clock.now_s + 1.0, self._live)

    def _reconcile(self) -> None:
        """Some worker compares the queue with the records."""
        self._redis.visit((len(self._submit_s) - self._begun) * self._times.listed_s)
        self._clock.at(self._clock.now_s + RECONCILE_EVERY_S, self._reconcile)

    def _arrive(self) -> None:
        """One job or a burst of them, and the next arrival; so many bursts that they have their share of the jobs."""
        bursts = BURST_SHARE / BURST_JOBS / (BURST_SHARE / BURST_JOBS + 1 - BURST_SHARE)
        for _ in range(BURST_JOBS if self._rng.random() < bursts else 1):
            self._submit()
        jobs_per_arrival = 1 + bursts * (BURST_JOBS - 1)
        self._clock.at(self._clock.now_s + self._rng.exponential(jobs_per_arrival / self._rate), self._arrive)

    def _submit(self) -> None:
        clock, times, came_s = self._clock, self._times, self._clock.now_s
        kind = self._kinds[int(np.searchsorted(self._shares, self._rng.random() * self._shares[-1]))]
        job = _Job(kind)

        def store() -> None:
            end_s = self._redis.visit(times.submit.redis_s).end_s
            self._submit_s.append(end_s - came_s)
            clock.at(end_s, lambda: self._take(job))
            clock.at(end_s + POLL_EVERY_S, lambda: self._poll(job))

        clock.at(self._api.visit(times.submit.api_s).end_s, store)

    def _take(self, job: _Job) -> None:
        visit = self._workers.visit(job.kind.run_s / self._fleet.speed)

        def begin() -> None:
            self._begun += 1
            self._beat(job, visit.end_s)

        self._clock.at(visit.begin_s, begin)
        self._clock.at(visit.end_s, lambda: self._finish(job))

    def _beat(self, job: _Job, end_s: float) -> None:
        """A second of a running job, or the rest of it."""
        next_s = min(self._clock.now_s + 1.0, end_s)
        self._redis.visit((next_s - self._clock.now_s) * self._times.running_second.redis_s)
        if next_s < end_s:
            self._clock.at(next_s, lambda: self._beat(job, end_s))

    def _finish(self, job: _Job) -> None:
        def tell() -> None:
            self._clock.at(self._redis.visit(self._times.run.redis_s).end_s, job.end)
            self._finished += 1

        self._clock.at(self._store.visit(_store_s(job.kind)).end_s, tell)

    def _poll(self, job: _Job) -> None:
        clock, times, came_s = self._clock, self._times, self._clock.now_s

        def look() -> None:
            end_s = self._redis.visit(times.poll.redis_s).end_s
            self._poll_s.append(end_s - came_s)
            clock.at(end_s, lambda: self._download() if job.ended else self._poll_later(job))

        clock.at(self._api.visit(times.poll.api_s).end_s, look)

    def _poll_later(self, job: _Job) -> None:
        self._clock.at(self._clock.now_s + POLL_EVERY_S, lambda: self._poll(job))

    def _download(self) -> None:
        read_s = self._api.visit(self._times.download.api_s).end_s
        self._clock.at(read_s, lambda: self._redis.visit(self._times.download.redis_s))


class _Job:
    __slots__ = ("ended", "kind")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.ended = False

    def end(self) -> None:
        self.ended = True


def _store_s(kind: Kind) -> float:
    """Seconds of the store for a job: its bytes are written once and fetched once, its files flushed once."""
    return 2 * kind.stored_bytes / STORE_BYTES_PER_S + kind.stored_files / STORE_FILES_PER_S


def _arrivals_of_day(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """(count,) instants, in order: a smooth day whose densest moment, two in the afternoon, is ``PEAK`` times as dense.

    The density is that of von Mises' distribution on the circle of hours.
    """
    kappas = np.linspace(0.0, 10.0, 10_001)
    kappa = float(np.interp(PEAK, np.exp(kappas) / np.i0(kappas), kappas))
    angles = rng.vonmises(0.0, kappa, size=count)
    arrivals: npt.NDArray[np.float64] = np.sort((angles / math.tau + 14 / 24) % 1.0 * DAY_S)
    return arrivals
