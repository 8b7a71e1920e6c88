"""Settings that the API and the workers share, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.jobs.connection import check_url

__all__ = ["JobSettings"]


class JobSettings(BaseSettings):
    """Where jobs live.

    Attributes:
        redis_url: ``REDIS_URL``; ``redis://``, ``rediss://``, ``unix://`` or ``redis+sentinel://``, see
            :func:`service.jobs.connection.connect`.
        data_dir: ``FIXLIP_DATA_DIR``; directory of inputs and results, shared by the API and the workers.
        queue_name: ``FIXLIP_QUEUE``; name of the RQ queue.
        job_timeout_s: ``FIXLIP_JOB_TIMEOUT_S``; longest run of one job, seconds.
        key_prefix: ``FIXLIP_KEY_PREFIX``; first part of every Redis key of ours.
        heartbeat_s: ``FIXLIP_HEARTBEAT_S``; seconds between signs of life. A worker that misses three is taken for
            dead, and its jobs are handed to others.
    """

    model_config = SettingsConfigDict(env_prefix="FIXLIP_", frozen=True, populate_by_name=True, extra="ignore")

    redis_url: str = Field("redis://127.0.0.1:6379/0", validation_alias="REDIS_URL")
    data_dir: Path = Path("fixlip-data")
    queue_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", validation_alias="FIXLIP_QUEUE")] = "fixlip"
    job_timeout_s: Annotated[int, Field(ge=1)] = 600
    key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "fixlip"
    heartbeat_s: Annotated[float, Field(gt=0)] = 2.0

    @property
    def liveness_ttl_s(self) -> float:
        """Seconds of silence after which a worker counts as dead."""
        return 3 * self.heartbeat_s

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        check_url(url)
        return url
