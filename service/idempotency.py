"""The Idempotency-Key of a submission: however often it is sent, there is one job."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from pydantic_core import to_json
from redis import RedisError

from service.access.principal import Principal
from service.jobs._rows import Row
from service.jobs.errors import JobNotFoundError
from service.jobs.repository import JobRepository
from service.jobs.reservations import Reservation, Reservations, ReservationState
from service.problems import FieldError, ProblemError
from service.requests import ExplanationRequest

__all__ = ["KEY_PARAMETER", "REPLAYED_HEADER", "IdempotencyKey", "earlier_row", "fingerprint_of", "gone", "reserved"]

REPLAYED_HEADER: Final = "Idempotency-Replayed"

_HEADER: Final = "Idempotency-Key"
_MAX_LENGTH: Final = 255
_KEY: Final = re.compile(rf"[!-~]{{1,{_MAX_LENGTH}}}")
_IN_FLIGHT_RETRY_S: Final = "1"


KEY_PARAMETER: Final[dict[str, Any]] = {
    "name": _HEADER,
    "in": "header",
    "required": False,
    "description": "A word of yours that is new with every submission, and the same when one is repeated because its "
    "answer was lost: the job is then the same, too. It is kept for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": _MAX_LENGTH, "pattern": "^[!-~]+$"},
    "example": "5f0c2f0e-6d0b-4b0e-9f53-0a5f3a3c1b1d",
}
"""The header in OpenAPI's words."""


async def _idempotency_key(request: Request) -> str | None:
    given = request.headers.getlist(_HEADER)
    if not given:
        return None
    if len(given) == 1 and _KEY.fullmatch(given[0]):
        return given[0]
    message = f"there may be one {_HEADER}, of 1 to {_MAX_LENGTH} visible ASCII characters"
    raise _problem(400, "invalid_idempotency_key", message)


IdempotencyKey = Annotated[str | None, Depends(_idempotency_key)]
"""The request's Idempotency-Key, if it has one."""


def fingerprint_of(request: ExplanationRequest) -> str:
    """Digest of what is asked for, in whichever of the two content types it was, and in whatever order."""
    fields = request.model_dump(mode="python", exclude={"image"})
    image = None if request.image is None else hashlib.sha256(request.image).hexdigest()
    return hashlib.sha256(to_json(_sorted({**fields, "image": image}))).hexdigest()


@contextmanager
def reserved(reservations: Reservations, who: Principal, fingerprint: str, key: str) -> Iterator[Reservation]:
    """A key that is this request's alone while the block writes its job, or that is settled: it has a job already.

    A block that ends with an error leaves the key as good as new. After one of Redis nobody knows whether the job was
    written, and whoever has the key next writes the job of the same id.

    Raises:
        ProblemError: the key stands for another request, or for one that is being dealt with at this moment.
        redis.RedisError: Redis did not answer.
    """
    reservation = reservations.reserve(key, tenant=who.tenant, fingerprint=fingerprint)
    if reservation.state is ReservationState.MISMATCHED:
        message = f"this {_HEADER} was used with another request; a new request needs a new key"
        raise _problem(422, "idempotency_mismatch", message)
    if reservation.state is ReservationState.IN_FLIGHT:
        message = f"a request with this {_HEADER} is being dealt with; repeat it in a moment to have its job"
        raise _problem(409, "idempotency_in_flight", message, retry_after_s=_IN_FLIGHT_RETRY_S)
    try:
        yield reservation
    except RedisError:
        with suppress(RedisError):
            reservations.yield_(reservation)
        raise
    except BaseException:
        with suppress(RedisError):
            reservations.forget(reservation)
        raise


def earlier_row(repository: JobRepository, who: Principal, reservation: Reservation) -> Row:
    """The job that a settled key stands for, as it is now.

    Raises:
        ProblemError: it was deleted, or has expired.
        redis.RedisError: Redis did not answer.
    """
    try:
        return repository.row(reservation.job_id, tenant=who.tenant)
    except JobNotFoundError:
        raise gone(f"explanation {reservation.job_id}") from None


def gone(what: str) -> ProblemError:
    """The answer to who repeats a request whose job or batch is there no more."""
    message = f"{what}, of this {_HEADER}, has been removed; a new one needs a new key"
    return _problem(410, "idempotency_job_removed", message)


def _sorted(value: object) -> object:
    """Objects by name, all the way down."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _problem(status: int, code: str, message: str, *, retry_after_s: str | None = None) -> ProblemError:
    return ProblemError(
        status,
        code,
        message,
        errors=[FieldError(field=_HEADER, code=code, message=message)],
        headers={"Retry-After": retry_after_s} if retry_after_s else {},
    )
