"""Names of the Redis keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Keys", "text"]


@dataclass(frozen=True, slots=True)
class Keys:
    """Every Redis key of ours begins with ``prefix``.

    An open job is in one of three sorted sets: :attr:`queued`, :attr:`delayed` or :attr:`leases`.
    """

    prefix: str

    @property
    def queued(self) -> str:
        """Sorted set of the jobs that wait in the queue, by the instant of their submission."""
        return f"{self.prefix}:queued"

    @property
    def delayed(self) -> str:
        """Sorted set of the jobs that wait until they may be tried again, by the instant from which they may."""
        return f"{self.prefix}:delayed"

    @property
    def leases(self) -> str:
        """Sorted set of the jobs that run, by the instant at which their worker's right to them lapses."""
        return f"{self.prefix}:leases"

    @property
    def queued_passes(self) -> str:
        """Number of forward passes that queued and delayed jobs will take."""
        return f"{self.prefix}:queued_passes"

    @property
    def leftovers(self) -> str:
        """Sorted set of attempts that ended without a result, by the instant of their end."""
        return f"{self.prefix}:leftovers"

    @property
    def strays(self) -> str:
        """Sorted set of what stands in the queue's books and not in ours, or the other way, by when it was seen."""
        return f"{self.prefix}:strays"

    @property
    def models(self) -> str:
        """Hash of model id to model card."""
        return f"{self.prefix}:models"

    @property
    def announced(self) -> str:
        """Sorted set of model ids by the instant of their last announcement."""
        return f"{self.prefix}:models:announced"

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

    def turn(self, task: str) -> str:
        """Whose turn it is to do a periodic task; it lapses when the next turn comes."""
        return f"{self.prefix}:turn:{task}"


def text(value: Any) -> str:
    """A name as Redis gives it."""
    return value.decode() if isinstance(value, bytes) else str(value)
