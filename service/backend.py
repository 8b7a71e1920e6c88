"""What the API stands on: Redis and the artifact store, behind the job domain's own words."""

from __future__ import annotations

from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Annotated

from fastapi import Depends, Request
from redis import Redis

from service.jobs.artifacts import ArtifactStore
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.queue import JobQueue
from service.jobs.repository import JobRepository
from service.settings import ServiceSettings

__all__ = ["Backend", "BackendDep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The parts that requests use; all of them may be used from several threads."""

    settings: ServiceSettings
    redis: Redis
    repository: JobRepository
    queue: JobQueue
    catalogue: Catalogue
    store: ArtifactStore
    decode_slots: BoundedSemaphore

    @classmethod
    def open(cls, settings: ServiceSettings) -> Backend:
        """The parts as ``settings`` say; nothing is connected or written yet."""
        redis = connect(settings.redis_url, timeout_s=settings.redis_timeout_s)
        return cls(
            settings=settings,
            redis=redis,
            repository=JobRepository(redis, settings.key_prefix),
            queue=JobQueue(redis, settings),
            catalogue=Catalogue(redis, settings.key_prefix),
            store=ArtifactStore(settings.data_dir),
            decode_slots=BoundedSemaphore(settings.max_decodes),
        )

    def close(self) -> None:
        """Close the connections."""
        self.redis.close()


def _backend_of(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


BackendDep = Annotated[Backend, Depends(_backend_of)]
"""The backend of the application that handles the request."""
