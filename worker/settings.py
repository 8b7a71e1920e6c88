"""A worker's settings, from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from fixlip_core.defaults import DEFAULT_MODEL
from service.jobs.settings import JobSettings

__all__ = ["WorkerSettings"]

SLOTS_ON_CPU: Final = 4
SLOTS_ON_GPU: Final = 8
MAX_RENDERERS: Final = 4


class WorkerSettings(JobSettings):
    """What a worker serves, and how.

    Attributes:
        models: ``FIXLIP_MODELS``; names of the models to load, separated by commas. With a models file, ids of it; by
            default all of them.
        models_file: ``FIXLIP_MODELS_FILE``; the operator's models, see :mod:`worker.models_file`. Without it, models
            are named by ``models`` alone.
        device: ``FIXLIP_DEVICE``; ``cpu``, ``cuda`` or ``cuda:1``.
        precision: ``FIXLIP_PRECISION``; ``fp32``, ``bf16`` or, on a GPU, ``fp16``.
        threads: ``FIXLIP_THREADS``; CPU threads of the forward passes, None for one per core. Sums are ordered by
            thread, so the same bytes on another machine need the same number.
        concurrency: ``FIXLIP_CONCURRENCY``; jobs that run at once. By default 4, on a GPU 8.
        memory_bytes: ``FIXLIP_MEMORY_BYTES``; how much the weights of all loaded models may take on the device. Those
            that were not used for longest make room. By default there is no limit.
        max_retries: ``FIXLIP_MAX_RETRIES``; how often a job is tried again after a fault that is not its own.
        render_processes: ``FIXLIP_RENDER_PROCESSES``; processes that draw maps. By default 1 on up to two cores, else
            half as many as there are cores, at most 4.
        metrics_host: ``FIXLIP_METRICS_HOST``; address where Prometheus is answered.
        metrics_port: ``FIXLIP_METRICS_PORT``; port where it is, None for nowhere. Of several workers that one parent
            started, the second has the next port, and so on.
        signing_key_file: ``FIXLIP_SIGNING_KEY_FILE``; the operator's Ed25519 key, a PEM file, that signs the audit
            records of jobs. Without it, they are not signed.
        grace_s: ``FIXLIP_GRACE_S``; how long a stopping worker may take to finish its jobs before it hands them back.
    """

    # A variable that is set to nothing is not set: a compose file can then pass on what may be there.
    model_config = SettingsConfigDict(env_ignore_empty=True)

    models: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = (DEFAULT_MODEL,)
    models_file: Path | None = None
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")] = "cpu"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    threads: Annotated[int | None, Field(ge=1)] = None
    concurrency: Annotated[int | None, Field(ge=1)] = None
    memory_bytes: Annotated[int | None, Field(ge=1)] = None
    max_retries: Annotated[int, Field(ge=0)] = 8
    render_processes: Annotated[int | None, Field(ge=1)] = None
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int | None, Field(ge=1, le=65_535)] = None
    signing_key_file: Path | None = None
    grace_s: Annotated[float, Field(ge=0)] = 10.0

    @field_validator("models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))

    @property
    def named_models(self) -> tuple[str, ...] | None:
        """The models that the environment or the command line names; None where it leaves that to the default."""
        return self.models if "models" in self.model_fields_set else None

    @property
    def slots(self) -> int:
        """Jobs that run at once."""
        return self.concurrency or (SLOTS_ON_CPU if self.device == "cpu" else SLOTS_ON_GPU)

    @property
    def renderers(self) -> int:
        """Processes that draw maps."""
        return self.render_processes or min(MAX_RENDERERS, max(1, (os.cpu_count() or 1) // 2))
