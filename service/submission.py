"""From a request to a job, or to an error that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from opentelemetry.trace import Span, SpanKind
from pydantic import JsonValue
from redis import RedisError

from service.access.principal import Principal
from service.backend import Backend
from service.creating import charged, create_surely
from service.idempotency import earlier_row, fingerprint_of, reserved
from service.jobs._rows import Books, Row
from service.jobs.answers import answered
from service.jobs.errors import JobNotFoundError
from service.jobs.inputs import input_files
from service.jobs.records import Job, JobInput, JobModel, new_job_id
from service.jobs.reservations import Reservation, ReservationState
from service.jobs.storage.bundle import Bundle
from service.observability.tracing import traceparent_of
from service.pictures import Picture, picture_of
from service.problems import ProblemError
from service.questions import question_of
from service.requests import ExplanationRequest
from service.variants import Variants
from service.webhooks.requested import webhook_of

__all__ = ["Submission", "submit"]


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a request.

    Attributes:
        row: its job.
        is_replay: whether the job was submitted before, under the same Idempotency-Key.
    """

    row: Row
    is_replay: bool = False


def submit(
    backend: Backend, who: Principal, request: ExplanationRequest, *, request_id: str, key: str | None = None
) -> Submission:
    """Check a request against the models that workers announced, and answer it from earlier results or queue its job.

    Args:
        backend: what the API stands on.
        who: whose the job will be.
        request: what is asked for.
        request_id: the HTTP request's id, for the record.
        key: the client's Idempotency-Key.

    Raises:
        InputError: the image, caption, model, method or a parameter cannot be accepted.
        ProblemError: several parameters are wrong; no worker has announced a model yet; the queue or a quota is full;
            or the key stands for another request, or for one that is being dealt with.
        redis.RedisError: Redis did not answer. Whether there is a job, whoever repeats the request under its key finds.
        StorageUnavailableError: the image cannot be stored.
    """
    if key is None:
        return Submission(_accept(backend, who, request, request_id, None))
    with reserved(backend.reservations, who, fingerprint_of(request), key) as reservation:
        if reservation.state is ReservationState.SETTLED:
            return Submission(earlier_row(backend.repository, who, reservation), is_replay=True)
        return Submission(_accept(backend, who, request, request_id, reservation))


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A request that may become a job.

    Attributes:
        job: the job.
        question: digest of all that its answer depends on.
        params: the method's parameters in full.
        picture: what is explained.
        cost_passes: forward passes that it is expected to take.
    """

    job: Job
    question: str
    params: Mapping[str, JsonValue]
    picture: Picture
    cost_passes: int


def _accept(
    backend: Backend, who: Principal, request: ExplanationRequest, request_id: str, reservation: Reservation | None
) -> Row:
    accepted = _check(backend, who, request, request_id, reservation.job_id if reservation else new_job_id())
    earlier = backend.answers.find(accepted.question) if request.cache == "use" else None
    if earlier is not None:
        created = _answer(backend, who, accepted, *earlier, reservation)
        if created is not None:
            return created
    else:
        _queue(backend, who, accepted, reservation)
    # Only Redis knows its place in the queue. Where it does not tell, the job is there all the same.
    with suppress(RedisError, JobNotFoundError):
        return backend.repository.row(accepted.job.id)
    return Row(accepted.job, Books())


def _check(backend: Backend, who: Principal, request: ExplanationRequest, request_id: str, job_id: str) -> _Accepted:
    variants = Variants(backend.catalogue.cards(), max_budget=backend.settings.max_budget)
    variant = variants.find(request.model, request.method, request.params)
    cost_passes = variants.cost_passes(variant, request.caption, request.evaluate)
    webhook = webhook_of(backend, who, request.webhook)
    picture = picture_of(backend, who, request)
    variants.check_size(variant, picture.size)
    card, params = variant.card, variant.params
    job = Job(
        id=job_id,
        model=JobModel(id=card.id, revision=card.revision),
        method=request.method,
        params=dict(variant.recorded),
        input=JobInput(image_sha256=picture.sha256, caption=request.caption),
        evaluate=tuple(request.evaluate),
        metadata=request.metadata,
        webhook=webhook,
        request_id=request_id,
    )
    return _Accepted(job, question_of(who, job, card, picture.plain_sha256()), params, picture, cost_passes)


def _answer(
    backend: Backend,
    who: Principal,
    accepted: _Accepted,
    earlier: Job,
    results: Bundle,
    reservation: Reservation | None,
) -> Row | None:
    """Write a job that has succeeded already, with the results of an earlier one; it costs no passes.

    Returns:
        Its row; None where it must be read.
    """
    backend.quotas.check_submission(who, passes=0, bytes=results.size_bytes)
    job = answered(accepted.job, earlier)

    def create() -> Row | None:
        return backend.repository.create(
            job,
            tenant=who.tenant,
            results=results,
            answers=accepted.question,
            reservation=reservation.key if reservation else None,
        )

    return create_surely(create)[0]


def _queue(backend: Backend, who: Principal, accepted: _Accepted, reservation: Reservation | None) -> None:
    """Store inputs, then write row and queue entry in one transaction; inputs without a row are removed in time."""
    job, cost_passes = accepted.job, accepted.cost_passes
    backend.quotas.check_submission(who, passes=cost_passes, bytes=len(accepted.picture.plain))
    _check_room(backend, cost_passes)
    with charged(backend, who, cost_passes) as charge:
        inputs = backend.bundles.add(input_files(accepted.picture.plain, accepted.params, recorded=job.params))

        def create() -> Row | None:
            return backend.repository.create(
                job,
                tenant=who.tenant,
                queue=backend.queue,
                cost_passes=cost_passes,
                inputs=inputs,
                answers=accepted.question,
                reservation=reservation.key if reservation else None,
                traceparent=traceparent_of(enqueued),
            )

        with _enqueueing(backend, job) as enqueued:
            _, charge.is_due = create_surely(create)


def _enqueueing(backend: Backend, job: Job) -> AbstractContextManager[Span]:
    """The span that the job's runs are parts of; an error's text may hold what was sent, and is not told."""
    return backend.tracing.tracer.start_as_current_span(
        "enqueue",
        kind=SpanKind.PRODUCER,
        attributes={"fixlip.job.id": job.id},
        record_exception=False,
        set_status_on_exception=False,
    )


def _check_room(backend: Backend, cost_passes: int) -> None:
    """Refuse what the queue has no room for; an empty queue has room for any job."""
    queued, most = backend.estimator.queued_passes(), backend.settings.max_queued_passes
    if not queued or queued + cost_passes <= most:
        return
    wait_s = backend.estimator.retry_after_s(queued + cost_passes - most)
    raise ProblemError(
        503,
        "queue_full",
        f"jobs of {queued:,} forward passes are waiting, and this one takes {cost_passes:,}; the queue has room for "
        f"{most:,}: try again in {wait_s} s",
        headers={"Retry-After": str(wait_s)},
    )
