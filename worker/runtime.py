"""What a worker process owns: warm models, the device, its stores and its request to stop.

RQ calls a task by its name with JSON arguments alone, so the task finds the rest here.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from redis import Redis, RedisError

from fixlip_core.batching import Batcher
from fixlip_core.rendering.pool import RenderPool
from service.jobs.batches.feeding import Feeder
from service.jobs.catalogue import Catalogue
from service.jobs.queue import JobQueue
from service.jobs.rates import Rates
from service.jobs.repository import JobRepository
from service.jobs.storage.bundles import BundleStore
from worker.auditing import Auditor
from worker.execution import Executions
from worker.gate import Gate
from worker.models import ModelPool
from worker.observing import Observer
from worker.pace import PaceMeter
from worker.settings import WorkerSettings
from worker.stopping import Stop

__all__ = ["Runtime", "current_runtime", "install_runtime", "new_worker_id"]

PATIENCE_S: Final = (0.1, 0.5, 1.0, 2.0)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One worker process; its threads share it.

    Attributes:
        settings: the worker's settings.
        redis: connections of the job domain.
        bundles: the jobs' files.
        feeder: puts jobs of batches into the queue.
        models: the models that this worker serves.
        batcher: the device.
        renderer: the processes that draw maps.
        stop: the process's request to stop.
        executions: the runs of this process.
        auditor: adds their audit records to the jobs' files.
        gate: says which runs may be side by side.
        meter: measures how fast this process is.
        observer: watches the runs of this process.
        worker_id: unique to this process.
    """

    settings: WorkerSettings
    redis: Redis
    bundles: BundleStore
    feeder: Feeder
    models: ModelPool
    batcher: Batcher
    renderer: RenderPool
    stop: Stop
    executions: Executions = field(default_factory=Executions)
    auditor: Auditor = field(default_factory=Auditor)
    gate: Gate = field(default_factory=Gate)
    meter: PaceMeter = field(default_factory=PaceMeter)
    observer: Observer = field(default_factory=Observer)
    worker_id: str = field(default_factory=lambda: new_worker_id())

    @property
    def repository(self) -> JobRepository:
        """The jobs' records."""
        return JobRepository.of(self.settings, self.redis)

    @property
    def queue(self) -> JobQueue:
        """The queue that this worker serves."""
        return JobQueue(self.redis, self.settings)

    @property
    def catalogue(self) -> Catalogue:
        """Where this worker announces its models."""
        return Catalogue(self.redis, self.settings.key_prefix)

    def announce(self) -> None:
        """Say that this worker is alive, what it serves and how fast it is; lasts for three heartbeats.

        One that stops takes no more jobs, and says that it has gone.
        """
        if self.stop.requested:
            self.catalogue.withdraw(self.worker_id)
            return
        ttl_s, cards = self.settings.liveness_ttl_s, self.models.cards
        for card in cards:
            self.catalogue.announce(card.to_dict(), self.worker_id, ttl_s=ttl_s)
        pace = self.meter.pace(models=[card.id for card in cards], slots=self.settings.slots)
        Rates(self.redis, self.settings.key_prefix).report(self.worker_id, pace, ttl_s=ttl_s)
        self.observer.metrics.beat()

    def withdraw(self) -> None:
        """Say that this worker has gone; where Redis is away, its announcement lapses."""
        try:
            self.catalogue.withdraw(self.worker_id)
        except RedisError as error:
            _log.warning("this worker could not say that it has gone: %s", error)

    def feed(self) -> None:
        """Fill the queue from the batches; what this does not do, a sweep will."""
        try:
            self.feeder.feed()
        except RedisError as error:
            _log.warning("the queue was not filled from the batches: %s", error)
        except Exception:  # the job that has made room in the queue is not to suffer for it
            _log.exception("the queue was not filled from the batches")

    def persistently(self, act: Callable[[], _T]) -> _T:
        """``act()``, repeated while Redis is away and this worker may wait for it.

        The act must bear repetition: the answer that Redis gave to the first may be lost.

        Raises:
            redis.RedisError: the worker was told to stop before Redis came back.
        """
        attempt = 0
        while True:
            try:
                return act()
            except RedisError as error:
                if self.stop.overdue:
                    raise
                pause_s = PATIENCE_S[min(attempt, len(PATIENCE_S) - 1)]
                _log.warning("Redis is in trouble, trying again in %.1f s: %s", pause_s, error)
                time.sleep(pause_s)
                attempt += 1


_installed: list[Runtime] = []


def install_runtime(runtime: Runtime) -> None:
    """Make ``runtime`` the one that tasks of this process find."""
    _installed[:] = [runtime]


def current_runtime() -> Runtime:
    """The process's runtime.

    Raises:
        RuntimeError: the process is no worker: :func:`worker.main.run` was not called.
    """
    if not _installed:
        raise RuntimeError("this process has no loaded models: start it with `fixlip worker`")
    return _installed[0]


def new_worker_id() -> str:
    """A name for this process: host, process id and a random part, because ids of processes come again."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
