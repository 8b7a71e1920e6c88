"""Errors of the job domain.

FixlipError
`-- JobDomainError
    |-- JobNotFoundError            no job of that id
    |-- JobUnreadableError          a record that another version, or another program, has written
    |-- JobFinalError               the job has ended, so that nothing can change it
    |-- ArtifactNotFoundError       the job has no such stored file
    |-- InvalidArtifactNameError    a file name or job id that may not become a path
    `-- StorageUnavailableError     the artifact store cannot be written or read
"""

from __future__ import annotations

from fixlip_core.errors import FixlipError
from service.jobs.records import JobStatus

__all__ = [
    "ArtifactNotFoundError",
    "InvalidArtifactNameError",
    "JobDomainError",
    "JobFinalError",
    "JobNotFoundError",
    "JobUnreadableError",
    "StorageUnavailableError",
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


class ArtifactNotFoundError(JobDomainError, LookupError):
    """The job has no such stored file."""

    code = "artifact_not_found"

    def __init__(self, job_id: str, name: str) -> None:
        super().__init__(f"explanation {job_id!r} has no stored file {name!r}")
        self.job_id = job_id
        self.name = name


class InvalidArtifactNameError(JobDomainError, ValueError):
    """A name that may not become a path in the store."""

    code = "invalid_artifact_name"


class StorageUnavailableError(JobDomainError):
    """The artifact store cannot be written or read: disk full, missing, or not permitted."""

    code = "storage_unavailable"
