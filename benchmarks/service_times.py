"""What every step of a job costs each part of the service: counted by :mod:`benchmarks.measuring`, simulated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

__all__ = ["STORED", "Cost", "Kind", "ServiceTimes", "load", "save"]

STORED: Final = Path(__file__).with_name("service_times.json")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one step takes.

    Attributes:
        redis_s: seconds of Redis's main thread.
        api_s: seconds of CPU of the API.
        commands: Redis commands by name.
    """

    redis_s: float
    api_s: float
    commands: Mapping[str, float] = field(default_factory=dict)

    def minus(self, other: Cost, times: float) -> Cost:
        """What is left when ``times`` of another are taken off; nothing is less than nothing."""
        commands = {name: count - times * other.commands.get(name, 0.0) for name, count in self.commands.items()}
        return Cost(
            max(self.redis_s - times * other.redis_s, 0.0),
            max(self.api_s - times * other.api_s, 0.0),
            {name: count for name, count in commands.items() if count > 0},
        )

    def each(self, count: float) -> Cost:
        """The cost of one of ``count``."""
        commands = {name: number / count for name, number in self.commands.items()}
        return Cost(self.redis_s / count, self.api_s / count, commands)

    @property
    def n_commands(self) -> float:
        """Commands in all."""
        return sum(self.commands.values())


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job.

    Attributes:
        share: of all jobs.
        run_s: seconds that a worker alone with it takes.
        forward_passes: of both towers.
        stored_bytes: inputs and results.
        stored_files: files of them.
    """

    share: float
    run_s: float
    forward_passes: int
    stored_bytes: int
    stored_files: int


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """What the simulation is built on.

    Redis's seconds were counted while it had little to do. When it has much, it takes many commands at each look at its
    sockets, and a command costs less: see :meth:`when_busy`.

    Attributes:
        submit: accepting a job.
        poll: looking at a job once.
        download: fetching all files of a job.
        run: taking a job, finishing it and telling so, whatever its length.
        running_second: a second in which a job runs: progress and the lease.
        idle_second: a second of a worker process that lives: signs of life, sweeps, looking for jobs.
        busy_share: what a command costs Redis when it is busy, of what it costs when it is not.
        connections_per_worker: connections to Redis of a worker process.
        listed_s: seconds of Redis's main thread for each queued job when a sweep compares the queue with the records.
        redis_bytes_per_job: memory of Redis that a finished job keeps.
        kinds: the jobs by name, on towers of the shape of ViT-B/32.
        cores: of the machine that was measured.
    """

    submit: Cost
    poll: Cost
    download: Cost
    run: Cost
    running_second: Cost
    idle_second: Cost
    busy_share: float
    connections_per_worker: float
    listed_s: float
    redis_bytes_per_job: float
    kinds: Mapping[str, Kind]
    cores: int

    def when_busy(self) -> ServiceTimes:
        """The figures of a busy Redis."""
        steps: dict[str, Any] = {
            name: replace(cost, redis_s=self.busy_share * cost.redis_s)
            for name, cost in ((f.name, getattr(self, f.name)) for f in fields(self))
            if isinstance(cost, Cost)
        }
        return replace(self, **steps, busy_share=1.0)


_ADAPTER: Final = TypeAdapter(ServiceTimes)


def load(path: Path = STORED) -> ServiceTimes:
    """The stored figures."""
    return _ADAPTER.validate_json(path.read_bytes())


def save(times: ServiceTimes, path: Path = STORED) -> None:
    """Store figures."""
    path.write_bytes(_ADAPTER.dump_json(times, indent=2) + b"\n")
