"""What is asked of a tenant's quotas before a request, and before a job, is let in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from redis import Redis
from starlette.concurrency import run_in_threadpool

from service.access.allowances import AllowanceBook
from service.access.principal import Principal
from service.access.rate_headers import rate_headers
from service.access.windows import Standing, Window, counters
from service.problems import FieldError, ProblemError

__all__ = ["Quotas", "Usage"]

_REQUESTS: Final = "requests_per_min"
_PASSES: Final = "passes_per_day"
_QUEUED_JOBS: Final = "queued_jobs"
_STORED_BYTES: Final = "stored_bytes"
_MINUTE_S: Final = 60
_DAY_S: Final = 86_400
_FULL_RETRY_AFTER_S: Final = 10
"""When to try again where what is full becomes free as jobs begin, or are deleted, whenever that is."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A quota of a tenant, and how much of it is used.

    Attributes:
        name: what it is called.
        limit: how much the tenant may have; None: as much as it likes.
        used: how much it has; None where that is not counted, as there is no limit.
        window_s: seconds after which it has all of it again; None for what is given back when it is used no more.
        resets_in_s: seconds until then; None likewise.
    """

    name: str
    limit: int | None
    used: int | None
    window_s: int | None = None
    resets_in_s: int | None = None


class Quotas:
    """The tenants' quotas, and how much of them is used. Every method may raise ``redis.RedisError``.

    Args:
        redis: where uses are counted.
        key_prefix: first part of the keys.
        allowances: what tenants may have.
        queued_jobs: how many jobs of a tenant wait.
        stored_bytes: how many bytes are kept for a tenant.
    """

    def __init__(
        self,
        redis: Redis,
        key_prefix: str,
        *,
        allowances: AllowanceBook,
        queued_jobs: Callable[[str], int],
        stored_bytes: Callable[[str], int],
    ) -> None:
        counts = counters(redis, key_prefix)
        self._allowances = allowances
        self._requests = Window(_REQUESTS, _MINUTE_S, counts)
        self._passes = Window(_PASSES, _DAY_S, counts)
        self._queued_jobs = queued_jobs
        self._stored_bytes = stored_bytes

    async def count_request(self, tenant: str) -> Standing | None:
        """Count a request of the tenant, and where it stands now; None where requests have no limit.

        Raises:
            ProblemError: 429, it has none left within this minute.
        """
        allowance = self._allowances.recall(tenant)
        if allowance is None:
            allowance = await run_in_threadpool(self._allowances.of, tenant)
        limit = allowance.requests_per_min
        return await run_in_threadpool(self._take_request, tenant, limit) if limit else None

    def check_submission(self, who: Principal, *, passes: int, bytes: int) -> None:
        """Whether the tenant may have one more job; nothing is charged for it yet.

        Args:
            who: whose it will be.
            passes: forward passes that it is expected to take; 0 where it takes none.
            bytes: how many its inputs will add to what is stored.

        Raises:
            ProblemError: 429; ``errors`` names the quota.
        """
        may = self._allowances.of(who.tenant)
        if may.queued_jobs and passes and self._queued_jobs(who.tenant) >= may.queued_jobs:
            raise _exceeded(_QUEUED_JOBS, f"{may.queued_jobs:,} jobs are waiting, which is as many as may")
        if may.stored_bytes and self._stored_bytes(who.tenant) + bytes > may.stored_bytes:
            raise _exceeded(_STORED_BYTES, f"no more than {may.stored_bytes:,} bytes may be stored: delete some jobs")
        if may.passes_per_day and passes and not self._passes.has(who.tenant, may.passes_per_day, passes):
            raise _too_many_passes(self._passes.standing(who.tenant, may.passes_per_day), passes)

    def charge_submission(self, who: Principal, passes: int) -> None:
        """Charge the passes of a job that is about to be created.

        Raises:
            ProblemError: 429, others have used what was left meanwhile; nothing is charged.
        """
        limit = self._allowances.of(who.tenant).passes_per_day
        if not limit or not passes:
            return
        taken, standing = self._passes.take(who.tenant, limit, passes)
        if not taken:
            raise _too_many_passes(standing, passes)

    def refund(self, who: Principal, passes: int) -> None:
        """Undo :meth:`charge_submission` of a job that was not created."""
        if passes and self._allowances.of(who.tenant).passes_per_day:
            self._passes.give_back(who.tenant, passes)

    def usage(self, tenant: str) -> list[Usage]:
        """Every quota of the tenant."""
        may = self._allowances.of(tenant)
        return [
            _within(self._requests, tenant, may.requests_per_min),
            Usage(_QUEUED_JOBS, may.queued_jobs or None, self._queued_jobs(tenant)),
            _within(self._passes, tenant, may.passes_per_day),
            Usage(_STORED_BYTES, may.stored_bytes or None, self._stored_bytes(tenant)),
        ]

    def _take_request(self, tenant: str, limit: int) -> Standing:
        taken, standing = self._requests.take(tenant, limit)
        if not taken:
            message = f"no more than {limit:,} requests a minute are accepted"
            raise _exceeded(_REQUESTS, message, retry_after_s=standing.resets_in_s, standing=standing)
        return standing


def _too_many_passes(standing: Standing, passes: int) -> ProblemError:
    message = (
        f"the job takes {passes:,} forward passes, and {standing.remaining:,} of {standing.limit:,} a day are left; "
        "a smaller `budget` takes fewer"
    )
    return _exceeded(_PASSES, message, retry_after_s=standing.resets_in_s, standing=standing)


def _within(window: Window, tenant: str, limit: int | None) -> Usage:
    """How much of a window's quota is used."""
    if not limit:
        return Usage(window.quota, None, None, window.length_s)
    standing = window.standing(tenant, limit)
    return Usage(window.quota, limit, limit - standing.remaining, window.length_s, standing.resets_in_s)


def _exceeded(
    quota: str, message: str, *, retry_after_s: int = _FULL_RETRY_AFTER_S, standing: Standing | None = None
) -> ProblemError:
    return ProblemError(
        429,
        "quota_exceeded",
        message,
        errors=[FieldError(field=quota, code="quota_exceeded", message=message)],
        headers={"Retry-After": str(retry_after_s), **(rate_headers(standing) if standing else {})},
    )
