"""What can go wrong when a service is called.

ServiceError
|-- UnreachableError           no service answers there
|-- UnexpectedAnswerError      something answers that is not this service
|-- InvalidRequestError        400, 413, 415, 422: the request must be changed; ``errors`` names the fields
|-- UnauthenticatedError       401: no API key, or one that is not valid
|-- ForbiddenError             403: the key may not do this
|-- NotFoundError              404: nothing of yours has this id
|-- ConflictError              409: not as things stand; ``job_status`` says how the job does
|-- QuotaError                 429: the quota is used up for now
|-- UnavailableError           502, 503, 504: the service cannot do it just now
|-- JobNotSucceededError       the job ended otherwise; ``job`` says how
|-- WaitTimeoutError           the job has not ended in time; it goes on
`-- BatchTimeoutError          the batch has not; ``batch`` says how it stands
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from fixlip.errors import CommandError

if TYPE_CHECKING:
    from fixlip.client._batch_models import Batch
    from fixlip.client.models import FieldError, Job

__all__ = [
    "ERROR_BY_STATUS",
    "BatchTimeoutError",
    "ConflictError",
    "ForbiddenError",
    "InvalidRequestError",
    "JobNotSucceededError",
    "NotFoundError",
    "QuotaError",
    "ServiceError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "WaitTimeoutError",
]


class ServiceError(CommandError):
    """Base of the tree.

    Args:
        message: for people; the service's own words where it has said something.
        status: the HTTP status, if there was an answer.
        code: the problem's stable word for programs.
        request_id: by which the operator finds the request in the service's logs.
        errors: what is wrong, field by field.
        retry_after_s: seconds after which the service says it is worth another try.
        job_status: where the job stands that the request was about.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after_s: float | None = None,
        job_status: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.job_status = job_status


class UnreachableError(ServiceError):
    """No service answers there, or the connection broke."""


class UnexpectedAnswerError(ServiceError):
    """What answers there is not this service."""


class InvalidRequestError(ServiceError):
    """The request must be changed before it can succeed."""


class UnauthenticatedError(ServiceError):
    """The request had no API key, or one that is not valid."""


class ForbiddenError(ServiceError):
    """The API key may not do this."""


class NotFoundError(ServiceError):
    """Nothing of this tenant has this id."""


class ConflictError(ServiceError):
    """It cannot be done as things stand."""


class QuotaError(ServiceError):
    """The tenant's quota is used up for now."""


class UnavailableError(ServiceError):
    """The service, or something in front of it, cannot do it just now."""


class JobNotSucceededError(ServiceError):
    """A job ended otherwise than it was waited for.

    Args:
        job: as it ended.
    """

    def __init__(self, job: Job) -> None:
        code, detail = (job.error.code, job.error.detail) if job.error else (job.status, "no reason was given")
        super().__init__(f"the job {job.status} ({code}): {detail}", code=code, job_status=job.status)
        self.job = job


class WaitTimeoutError(ServiceError):
    """A job has not ended in the time that its caller had.

    Args:
        job: as it was last seen.
        waited_s: how long it was waited for.
    """

    def __init__(self, job: Job, waited_s: float) -> None:
        super().__init__(f"the job {job.id} is still {job.status} after {waited_s:g} s", job_status=job.status)
        self.job = job


class BatchTimeoutError(ServiceError):
    """A batch has not ended in the time that its caller had.

    Args:
        batch: as it was last seen.
    """

    def __init__(self, batch: Batch) -> None:
        counts = batch.request_counts
        super().__init__(f"{counts.total - counts.ended} of {counts.total} items of batch {batch.id} have not ended")
        self.batch = batch


ERROR_BY_STATUS: Final[Mapping[int, type[ServiceError]]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: QuotaError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}
