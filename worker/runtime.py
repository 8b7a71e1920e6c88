"""What a worker process owns: warm models, its stores and its request to stop.

RQ calls a task by its name with JSON arguments alone, so the task finds the rest here.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from redis import Redis

from fixlip_core.encoders.protocol import DualEncoder
from service.jobs.artifacts import ArtifactStore
from service.jobs.catalogue import Catalogue
from service.jobs.queue import JobQueue
from service.jobs.repository import JobRepository
from worker.settings import WorkerSettings
from worker.stopping import Stop

__all__ = ["Runtime", "current_runtime", "install_runtime", "new_worker_id"]


@dataclass(slots=True, kw_only=True)
class Runtime:
    """One worker process.

    Attributes:
        settings: the worker's settings.
        redis: connection of the job domain.
        encoders: loaded models by id.
        stop: the process's request to stop.
        worker_id: unique to this process.
        unfinished: id of a job that was stopped for this worker's own sake and is still to be handed back.
    """

    settings: WorkerSettings
    redis: Redis
    encoders: Mapping[str, DualEncoder]
    stop: Stop
    worker_id: str = field(default_factory=lambda: new_worker_id())
    unfinished: str | None = None

    @property
    def repository(self) -> JobRepository:
        """The jobs' records."""
        return JobRepository(self.redis, self.settings.key_prefix)

    @property
    def artifacts(self) -> ArtifactStore:
        """The jobs' files."""
        return ArtifactStore(self.settings.data_dir)

    @property
    def queue(self) -> JobQueue:
        """The queue that this worker serves."""
        return JobQueue(self.redis, self.settings)

    @property
    def catalogue(self) -> Catalogue:
        """Where this worker announces its models."""
        return Catalogue(self.redis, self.settings.key_prefix)

    def announce(self) -> None:
        """Say that this worker is alive and what it serves; lasts for three heartbeats."""
        for encoder in self.encoders.values():
            self.catalogue.announce(encoder.card.to_dict(), self.worker_id, ttl_s=self.settings.liveness_ttl_s)

    def hand_back(self) -> None:
        """Put the unfinished job, if there is one, at the end of the queue again."""
        job_id, self.unfinished = self.unfinished, None
        if job_id is not None:
            self.repository.requeue(job_id, queue=self.queue)


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
