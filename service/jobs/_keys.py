"""Names of the Redis keys."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Keys"]


@dataclass(frozen=True, slots=True)
class Keys:
    """Every Redis key of ours begins with ``prefix``."""

    prefix: str

    @property
    def running(self) -> str:
        """Set of the ids of running jobs."""
        return f"{self.prefix}:running"

    @property
    def models(self) -> str:
        """Hash of model id to model card."""
        return f"{self.prefix}:models"

    @property
    def workers(self) -> str:
        """Sorted set of workers by the instant at which their announcement lapses."""
        return f"{self.prefix}:workers"

    def job(self, job_id: str) -> str:
        """Hash of a job's record."""
        return f"{self.prefix}:job:{job_id}"

    def workers_of(self, model_id: str) -> str:
        """Like :attr:`workers`, for the workers that serve one model."""
        return f"{self.prefix}:workers:{model_id}"
