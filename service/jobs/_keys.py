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

    @property
    def feeding(self) -> str:
        """Set while a process puts jobs of batches into the queue."""
        return f"{self.prefix}:batches:feeding"

    @property
    def batches_to_feed(self) -> str:
        """Sorted set of the batches of which items wait for their turn, by when it last was theirs."""
        return f"{self.prefix}:batches:to_feed"

    @property
    def batch_turns(self) -> str:
        """Number of turns that batches have had."""
        return f"{self.prefix}:batches:turns"

    @property
    def batch_jobs_in_queue(self) -> str:
        """Set of the batches' jobs that are in the queue."""
        return f"{self.prefix}:batches:in_queue"

    @property
    def canceling_batches(self) -> str:
        """Set of the batches whose cancellation was requested and that have not ended."""
        return f"{self.prefix}:batches:canceling"

    @property
    def ended_batches(self) -> str:
        """Sorted set of the batches that have ended, by the instant at which they did."""
        return f"{self.prefix}:batches:ended"

    @property
    def removed_batches(self) -> str:
        """Sorted set of the batches that are being removed, by the number of items whose jobs are gone."""
        return f"{self.prefix}:batches:removed"

    def batches_of(self, tenant: str) -> str:
        """Sorted set of a tenant's batches by their age."""
        return f"{self.prefix}:tenant:{tenant}:batches"

    def batch(self, batch_id: str) -> str:
        """Hash of a batch: what was submitted, and what was decided about it since."""
        return f"{self.prefix}:batch:{batch_id}"

    def batch_counts(self, batch_id: str) -> str:
        """Hash of how many of a batch's jobs stand where, and of when the first was begun and the last ended."""
        return f"{self.prefix}:batch_counts:{batch_id}"

    def batch_waiting(self, batch_id: str) -> str:
        """Sorted set of the items that wait until they become jobs."""
        return f"{self.prefix}:batch_waiting:{batch_id}"

    def batch_dropped(self, batch_id: str) -> str:
        """Sorted set of the items that will not become jobs."""
        return f"{self.prefix}:batch_dropped:{batch_id}"

    def batch_failures(self, batch_id: str) -> str:
        """Set of the items whose last job has ended without a result."""
        return f"{self.prefix}:batch_failures:{batch_id}"

    def batch_retries(self, batch_id: str) -> str:
        """Hash of item to how often it was asked for again."""
        return f"{self.prefix}:batch_retries:{batch_id}"

    def batch_open_jobs(self, batch_id: str) -> str:
        """Set of a batch's jobs that have not ended."""
        return f"{self.prefix}:batch_open_jobs:{batch_id}"

    def batch_bundles(self, batch_id: str) -> str:
        """Hash of the bundles that a batch holds to their bytes."""
        return f"{self.prefix}:batch_bundles:{batch_id}"

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

    def answers(self, digest: str) -> str:
        """Sorted set of the jobs that have answered the question of this digest, by the instant at which they did."""
        return f"{self.prefix}:answers:{digest}"

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
