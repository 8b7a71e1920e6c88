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
    def places(self) -> str:
        """Sorted set of the jobs in the queue by the passes of all that had entered it before them."""
        return f"{self.prefix}:places"

    @property
    def entered_passes(self) -> str:
        """Number of forward passes of all jobs that ever entered the queue."""
        return f"{self.prefix}:entered_passes"

    @property
    def last_pace(self) -> str:
        """How fast the worker is, or was, that last knew."""
        return f"{self.prefix}:last_pace"

    @property
    def unbegun(self) -> str:
        """Sorted set of the open jobs that no worker has begun yet, by the instant of their submission."""
        return f"{self.prefix}:unbegun"

    @property
    def expiring(self) -> str:
        """Sorted set of the jobs that have ended, by the instant at which they are removed."""
        return f"{self.prefix}:expiring"

    @property
    def unheld(self) -> str:
        """Sorted set of bundles by the instant from which they may be removed, unless somebody holds them."""
        return f"{self.prefix}:unheld"

    @property
    def stored_bytes(self) -> str:
        """Hash of tenant to the bytes of the bundles that its jobs and uploads hold."""
        return f"{self.prefix}:stored_bytes"

    @property
    def expiring_uploads(self) -> str:
        """Sorted set of the uploads, by the instant at which they are removed."""
        return f"{self.prefix}:expiring_uploads"

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

    @property
    def outbox(self) -> str:
        """Sorted set of the messages about ended jobs that are to be delivered, by the instant from which they are."""
        return f"{self.prefix}:outbox"

    def webhook_secrets_of(self, tenant: str) -> str:
        """Hash of a tenant's secrets by their id."""
        return f"{self.prefix}:tenant:{tenant}:webhook_secrets"

    def job(self, job_id: str) -> str:
        """Hash of a job's record."""
        return f"{self.prefix}:job:{job_id}"

    def jobs_of(self, tenant: str) -> str:
        """Sorted set of a tenant's jobs by their age."""
        return f"{self.prefix}:tenant:{tenant}:jobs"

    def queued_of(self, tenant: str) -> str:
        """Set of a tenant's jobs that wait."""
        return f"{self.prefix}:tenant:{tenant}:queued"

    def answer(self, digest: str) -> str:
        """The last job that has answered the question of this digest."""
        return f"{self.prefix}:answer:{digest}"

    def reservation(self, digest: str) -> str:
        """Hash of what a client's Idempotency-Key, of which this is the digest, stands for."""
        return f"{self.prefix}:idempotency:{digest}"

    def pace(self, worker_id: str) -> str:
        """How fast a worker is, as it last said; it lapses with the worker's announcement."""
        return f"{self.prefix}:pace:{worker_id}"

    def upload(self, upload_id: str) -> str:
        """Hash of an upload."""
        return f"{self.prefix}:upload:{upload_id}"

    def holders(self, digest: str) -> str:
        """Set of those that hold a bundle."""
        return f"{self.prefix}:holders:{digest}"

    def removing(self, digest: str) -> str:
        """Set while a bundle is being removed from the store."""
        return f"{self.prefix}:removing:{digest}"

    def workers_of(self, model_id: str) -> str:
        """Like :attr:`workers`, for the workers that serve one model."""
        return f"{self.prefix}:workers:{model_id}"

    def turn(self, task: str) -> str:
        """Whose turn it is to do a periodic task; it lapses when the next turn comes."""
        return f"{self.prefix}:turn:{task}"


def text(value: Any) -> str:
    """A name as Redis gives it."""
    return value.decode() if isinstance(value, bytes) else str(value)
