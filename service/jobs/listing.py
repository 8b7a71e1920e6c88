"""A tenant's jobs, page by page."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs._ledger import Ledger
from service.jobs._page_tokens import make_token, read_token
from service.jobs._rows import Row
from service.jobs.errors import JobNotFoundError, JobUnreadableError
from service.jobs.records import Job, JobStatus

__all__ = ["MAX_PAGE_SIZE", "SCANNED_PER_PAGE", "JobFilter", "JobListing", "JobPage"]

MAX_PAGE_SIZE: Final = 100
SCANNED_PER_PAGE: Final = 500
"""How many jobs a page with filters looks at, at most: it may be short, or empty, and still not be the last."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list: those for which all that is given here is so.

    Attributes:
        status: where they stand.
        model: the model's id.
        method: the method.
    """

    status: JobStatus | None = None
    model: str | None = None
    method: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it lets every job through."""
        return self == JobFilter()

    def lets_through(self, job: Job) -> bool:
        """Whether the job is one of them."""
        return (
            self.status in (None, job.status)
            and self.model in (None, job.model.id)
            and self.method in (None, job.method)
        )


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some of the jobs, newest first.

    Attributes:
        rows: them.
        next_token: asks for the next page; None where there is none.
    """

    rows: list[Row]
    next_token: str | None


class JobListing:
    """Lists jobs by tenant. Every method may raise ``redis.RedisError``.

    A page goes on behind the last job that was looked at, by its age: jobs that come or go meanwhile move no others.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)
        self._ledger = Ledger(redis, self._keys)

    def queued_jobs(self, tenant: str) -> int:
        """How many of the tenant's jobs wait."""
        return self._redis.scard(self._keys.queued_of(tenant))

    def page(self, tenant: str, which: JobFilter, *, size: int, token: str | None = None) -> JobPage:
        """A page of the tenant's jobs, newest first.

        Args:
            tenant: whose.
            which: which of them.
            size: how many at most, up to :data:`MAX_PAGE_SIZE`.
            token: of the page before; None: the first.

        Raises:
            InvalidPageTokenError: the token is none, or one of another tenant's list or of other filters.
        """
        behind = f"({read_token(token, _words(tenant, which))}" if token is not None else "+"
        scanned = size if which.is_empty else SCANNED_PER_PAGE
        found: list[Any] = self._redis.zrevrangebylex(self._keys.jobs_of(tenant), behind, "-", 0, scanned + 1)
        members = [text(member) for member in found]
        chosen = self._fitting(members[:scanned], which)
        looked_up_to = chosen[size - 1] if len(chosen) > size else members[:scanned][-1] if members else None
        rows = [row for row in self._read(chosen[:size]) if which.lets_through(row.job)]
        if looked_up_to is None or looked_up_to == members[-1]:
            return JobPage(rows, None)
        return JobPage(rows, make_token(looked_up_to, _words(tenant, which)))

    def _fitting(self, members: Sequence[str], which: JobFilter) -> list[str]:
        """Those that the filter lets through, told by as little of each job as that takes."""
        if which.is_empty:
            return list(members)
        with self._redis.pipeline(transaction=False) as pipe:
            for member in members:
                pipe.hmget(self._keys.job(_job_id(member)), "status", "model", "method")
            rows = pipe.execute()
        return [member for member, fields in zip(members, rows, strict=True) if all(fields) and _fits(fields, which)]

    def _read(self, members: Sequence[str]) -> list[Row]:
        """The rows; without those that are gone by now, or that another version of this program has written."""
        job_ids = list(map(_job_id, members))
        rows = []
        for job_id, fields in zip(job_ids, self._ledger.fetch(job_ids), strict=True):
            with suppress(JobNotFoundError):
                try:
                    rows.append(self._ledger.decoded(job_id, fields))
                except JobUnreadableError as error:
                    _log.warning("a job is not listed: %s", error)
        return rows


def _job_id(member: str) -> str:
    return member.partition(":")[2]


def _fits(fields: Sequence[bytes], which: JobFilter) -> bool:
    status, model, method = map(from_json, fields)
    return which.status in (None, status) and which.model in (None, model["id"]) and which.method in (None, method)


def _words(tenant: str, which: JobFilter) -> list[str | None]:
    return [tenant, which.status, which.model, which.method]
