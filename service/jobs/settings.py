"""Settings that the API and the workers share, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.jobs.connection import check_url
from service.jobs.storage.location import Location, locate

__all__ = ["JobSettings"]


class JobSettings(BaseSettings):
    """Where jobs live.

    Attributes:
        redis_url: ``REDIS_URL``; ``redis://``, ``rediss://``, ``unix://`` or ``redis+sentinel://``, see
            :func:`service.jobs.connection.connect`.
        data_dir: ``FIXLIP_DATA_DIR``; directory of inputs and results, where ``store_url`` names no other place.
        store_url: ``FIXLIP_STORE_URL``; where inputs and results are, see :func:`service.jobs.storage.location.locate`.
            The API and the workers share it.
        retention_s: ``FIXLIP_RETENTION_S``; how long a job is kept once it has ended, seconds; 0: for ever.
        queue_ttl_s: ``FIXLIP_QUEUE_TTL_S``; how long a job may wait for its first worker, seconds; 0: for ever.
        batch_window: ``FIXLIP_BATCH_WINDOW``; how many jobs of batches are in the queue at the same time, for all
            batches together: so many are before a job that is submitted alone.
        upload_retention_s: ``FIXLIP_UPLOAD_RETENTION_S``; how long an uploaded image is kept, seconds.
        queue_name: ``FIXLIP_QUEUE``; name of the RQ queue.
        job_timeout_s: ``FIXLIP_JOB_TIMEOUT_S``; longest run of one job, seconds.
        key_prefix: ``FIXLIP_KEY_PREFIX``; first part of every Redis key of ours.
        heartbeat_s: ``FIXLIP_HEARTBEAT_S``; seconds between signs of life. A worker that misses three is taken for
            dead, and its jobs are handed to others.
        log_level: ``FIXLIP_LOG_LEVEL``; events of it and above are logged.
        log_format: ``FIXLIP_LOG_FORMAT``; ``json``, ``console`` for people, or ``auto``: as standard error is a
            terminal or not.
    """

    model_config = SettingsConfigDict(env_prefix="FIXLIP_", frozen=True, populate_by_name=True, extra="ignore")

    redis_url: str = Field("redis://127.0.0.1:6379/0", validation_alias="REDIS_URL")
    data_dir: Path = Path("fixlip-data")
    store_url: str | None = None
    retention_s: Annotated[int, Field(ge=0)] = 7 * 24 * 3600
    queue_ttl_s: Annotated[int, Field(ge=0)] = 24 * 3600
    batch_window: Annotated[int, Field(ge=1)] = 16
    upload_retention_s: Annotated[int, Field(ge=1)] = 24 * 3600
    queue_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", validation_alias="FIXLIP_QUEUE")] = "fixlip"
    job_timeout_s: Annotated[int, Field(ge=1)] = 600
    key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "fixlip"
    heartbeat_s: Annotated[float, Field(gt=0)] = 2.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

    @property
    def store_location(self) -> Location:
        """Where inputs and results are."""
        return self.data_dir if self.store_url is None else locate(self.store_url)

    @property
    def liveness_ttl_s(self) -> float:
        """Seconds of silence after which a worker counts as dead."""
        return 3 * self.heartbeat_s

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        check_url(url)
        return url

    @field_validator("store_url")
    @classmethod
    def _check_store_url(cls, url: str | None) -> str | None:
        if not url:  # as compose passes on what is not set
            return None
        locate(url)
        return url
