"""Errors of the job domain.

FixlipError
`-- JobDomainError
    |-- JobNotFoundError            no job of that id
    |-- JobUnreadableError          a record that another version, or another program, has written
    |-- JobFinalError               the job has ended, so that nothing can change it
    |-- JobOpenError                the job has not ended yet, so that it cannot be removed
    |-- UploadNotFoundError         no upload of that id
    |-- UploadUnreadableError       a record of an upload that another version, or another program, has written
    |-- ArtifactNotFoundError       no such stored file
    |-- InvalidPageTokenError       a page token that is none, or one of another list
    |-- WebhookSecretNotFoundError  no webhook secret of that id
    |-- TooManyWebhookSecretsError  the tenant has as many as there may be
    |-- BatchNotFoundError          no batch of that id
    |-- BatchUnreadableError        a record of a batch that another version, or another program, has written
    |-- BatchFinalError             the batch has ended, so that it cannot be canceled
    |-- BatchOpenError              the batch has not ended yet, so that it can be neither repeated nor removed
    |-- NothingToRetryError         every item of the batch has its result
    `-- StorageUnavailableError     the store cannot be written or read
        `-- BundleDamagedError      what it gives is not what was stored
"""

from __future__ import annotations

from fixlip_core.errors import FixlipError
from service.jobs.records import JobStatus

__all__ = [
    "ArtifactNotFoundError",
    "BatchFinalError",
    "BatchNotFoundError",
    "BatchOpenError",
    "BatchUnreadableError",
    "BundleDamagedError",
    "InvalidPageTokenError",
    "JobDomainError",
    "JobFinalError",
    "JobNotFoundError",
    "JobOpenError",
    "JobUnreadableError",
    "NothingToRetryError",
    "StorageUnavailableError",
    "TooManyWebhookSecretsError",
    "UploadNotFoundError",
    "UploadUnreadableError",
    "WebhookSecretNotFoundError",
]


class JobDomainError(FixlipError):
    """Base of the job domain's errors."""

    code = "job_error"


class JobNotFoundError(JobDomainError, LookupError):
    """No job has this id."""

    code = "job_not_found"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no explanation has the id {job_id!r}")
        self.job_id = job_id


class JobUnreadableError(JobDomainError):
    """The job's record is not one that this version of the program can read."""

    code = "job_unreadable"

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(f"the record of explanation {job_id!r} cannot be read: {reason}")
        self.job_id = job_id


class JobFinalError(JobDomainError):
    """The job has ended; ``status`` says how."""

    code = "job_final"

    def __init__(self, job_id: str, status: JobStatus) -> None:
        super().__init__(f"explanation {job_id!r} is {status} already")
        self.job_id = job_id
        self.status = status


class JobOpenError(JobDomainError):
    """The job has not ended yet; ``status`` says where it stands."""

    code = "job_open"

    def __init__(self, job_id: str, status: JobStatus) -> None:
        super().__init__(f"explanation {job_id!r} is {status}; cancel it, or wait for its end, before you delete it")
        self.job_id = job_id
        self.status = status


class UploadNotFoundError(JobDomainError, LookupError):
    """No upload has this id, or it has expired."""

    code = "upload_not_found"

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"no uploaded image has the id {upload_id!r}; uploads are removed after a while")
        self.upload_id = upload_id


class UploadUnreadableError(JobDomainError):
    """The upload's record is not one that this version of the program can read."""

    code = "upload_unreadable"

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"the record of uploaded image {upload_id!r} cannot be read")
        self.upload_id = upload_id


class ArtifactNotFoundError(JobDomainError, LookupError):
    """There is no such stored file."""

    code = "artifact_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no stored file {name!r}")
        self.name = name


class InvalidPageTokenError(JobDomainError, ValueError):
    """A page token that the service has not made, or made for another list or other filters."""

    code = "invalid_page_token"

    def __init__(self) -> None:
        super().__init__("the page token is not one that this list, with these filters, has given out")


class WebhookSecretNotFoundError(JobDomainError, LookupError):
    """No webhook secret has this id."""

    code = "webhook_secret_not_found"

    def __init__(self, secret_id: str) -> None:
        super().__init__(f"no webhook secret has the id {secret_id!r}")
        self.secret_id = secret_id


class TooManyWebhookSecretsError(JobDomainError):
    """The tenant has as many webhook secrets as there may be."""

    code = "too_many_webhook_secrets"

    def __init__(self, most: int) -> None:
        super().__init__(f"there are {most} webhook secrets already; delete one first")
        self.most = most


class BatchNotFoundError(JobDomainError, LookupError):
    """No batch has this id."""

    code = "batch_not_found"

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"no batch has the id {batch_id!r}")
        self.batch_id = batch_id


class BatchUnreadableError(JobDomainError):
    """The batch's record is not one that this version of the program can read."""

    code = "batch_unreadable"

    def __init__(self, batch_id: str, reason: str) -> None:
        super().__init__(f"the record of batch {batch_id!r} cannot be read: {reason}")
        self.batch_id = batch_id


class BatchFinalError(JobDomainError):
    """The batch has ended."""

    code = "batch_final"

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"batch {batch_id!r} has ended already")
        self.batch_id = batch_id


class BatchOpenError(JobDomainError):
    """The batch has not ended yet."""

    code = "batch_open"

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"batch {batch_id!r} has not ended; cancel it, or wait for its end")
        self.batch_id = batch_id


class NothingToRetryError(JobDomainError):
    """Every item of the batch has its result."""

    code = "nothing_to_retry"

    def __init__(self, batch_id: str) -> None:
        super().__init__(f"nothing of batch {batch_id!r} has failed or was canceled")
        self.batch_id = batch_id


class StorageUnavailableError(JobDomainError):
    """The store cannot be written or read: disk full, missing, not permitted, away; or what it gives is damaged."""

    code = "storage_unavailable"


class BundleDamagedError(StorageUnavailableError):
    """A stored bundle is not what its name says."""

    def __init__(self, digest: str, reason: object) -> None:
        super().__init__(f"bundle {digest} is damaged: {reason}")
        self.digest = digest
