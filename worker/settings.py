"""A worker's settings, from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from fixlip_core.defaults import DEFAULT_MODEL
from service.jobs.settings import JobSettings

__all__ = ["WorkerSettings"]


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
        heartbeat_s: ``FIXLIP_HEARTBEAT_S``; seconds between signs of life. A worker that misses three is taken for
            dead, and its job is handed to another.
        grace_s: ``FIXLIP_GRACE_S``; how long a stopping worker may take to finish its job before it hands it back.
    """

    # A variable that is set to nothing is not set: a compose file can then pass on what may be there.
    model_config = SettingsConfigDict(env_ignore_empty=True)

    models: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = (DEFAULT_MODEL,)
    models_file: Path | None = None
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")] = "cpu"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    threads: Annotated[int | None, Field(ge=1)] = None
    heartbeat_s: Annotated[float, Field(gt=0)] = 5.0
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
    def liveness_ttl_s(self) -> float:
        """Seconds of silence after which a worker counts as dead."""
        return 3 * self.heartbeat_s
