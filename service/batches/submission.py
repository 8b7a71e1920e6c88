"""From the body of a request to a batch, or to an error that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.access.principal import Principal
from service.backend import Backend
from service.batches.bodies import BatchBody, ReceivedBatch
from service.batches.checking import check_batch
from service.creating import charged, create_surely
from service.idempotency import gone, reserved
from service.jobs.batches.records import Batch, BatchItem
from service.jobs.errors import BatchNotFoundError
from service.jobs.records import new_job_id
from service.jobs.reservations import Reservation, ReservationState
from service.webhooks.requested import webhook_of

__all__ = ["BatchSubmission", "submit_batch"]


@dataclass(frozen=True, slots=True)
class BatchSubmission:
    """What became of a request.

    Attributes:
        batch: its batch.
        is_replay: whether the batch was submitted before, under the same Idempotency-Key.
    """

    batch: Batch
    is_replay: bool = False


def submit_batch(
    backend: Backend, who: Principal, received: ReceivedBatch, *, request_id: str, key: str | None = None
) -> BatchSubmission:
    """Check every item of a batch, and have all of them put into the queue by and by.

    Args:
        backend: what the API stands on.
        who: whose the batch will be.
        received: the request's body.
        request_id: the HTTP request's id, for the record.
        key: the client's Idempotency-Key.

    Raises:
        InputError: the body has not the form of a batch.
        ProblemError: items are wrong; no worker has announced a model yet; a quota is used up; or the key stands for
            another request, or for one that is being dealt with.
        pydantic.ValidationError: what is said of all items is not valid.
        redis.RedisError: Redis did not answer. Whether there is a batch, whoever repeats the request under its key
            finds.
        StorageUnavailableError: a picture cannot be stored.
    """
    if key is None:
        return BatchSubmission(_accept(backend, who, received.open(backend.settings), request_id, None))
    with reserved(backend.reservations, who, received.fingerprint(), key) as reservation:
        if reservation.state is ReservationState.SETTLED:
            return BatchSubmission(_earlier(backend, who, reservation), is_replay=True)
        return BatchSubmission(_accept(backend, who, received.open(backend.settings), request_id, reservation))


def _earlier(backend: Backend, who: Principal, reservation: Reservation) -> Batch:
    try:
        return backend.batches.get(reservation.job_id, tenant=who.tenant)
    except BatchNotFoundError:
        raise gone(f"batch {reservation.job_id}") from None


def _accept(
    backend: Backend, who: Principal, body: BatchBody, request_id: str, reservation: Reservation | None
) -> Batch:
    webhook = webhook_of(backend, who, body.options.webhook)
    items = check_batch(backend, who, body)
    cost_passes = sum(item.cost_passes for item in items)
    backend.quotas.check_submission(who, passes=cost_passes, bytes=_stored_bytes(items))
    batch_id = reservation.job_id if reservation else new_job_id()

    def create() -> Batch | None:
        return backend.batches.create(
            batch_id,
            items,
            tenant=who.tenant,
            metadata=body.options.metadata,
            request_id=request_id,
            webhook_url=webhook.url if webhook else None,
            reservation=reservation.key if reservation else None,
        )

    with charged(backend, who, cost_passes) as charge:
        batch, charge.is_due = create_surely(create)
    return batch or backend.batches.get(batch_id, tenant=who.tenant)


def _stored_bytes(items: Sequence[BatchItem]) -> int:
    """Bytes that a batch adds to what is stored for its tenant."""
    return sum({item.inputs.digest: item.inputs.size_bytes for item in items}.values())
