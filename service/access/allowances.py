"""What a tenant may have: the service's defaults, and what the operator has said of single tenants."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from redis import Redis

from service.access._memory import Memory

__all__ = ["Allowance", "AllowanceBook"]

_Limit = Annotated[int, Field(ge=0)]


class Allowance(BaseModel):
    """The quotas of a tenant; 0: no limit, None: the service's default.

    Attributes:
        requests_per_min: requests within a minute.
        queued_jobs: jobs that wait at the same time.
        passes_per_day: forward passes, of all jobs that are submitted within a day.
        stored_bytes: bytes of inputs, results and uploads that are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_min: _Limit | None = None
    queued_jobs: _Limit | None = None
    passes_per_day: _Limit | None = None
    stored_bytes: _Limit | None = None

    def or_else(self, defaults: Allowance) -> Allowance:
        """These quotas, and those of ``defaults`` where this says nothing."""
        return defaults.model_copy(update=self.model_dump(exclude_none=True))


class AllowanceBook:
    """Tenants' quotas; what was written is in force everywhere within seconds.

    Every method may raise ``redis.RedisError``.

    Args:
        redis: where they are.
        key_prefix: first part of the keys.
        defaults: the quotas of tenants of whom nothing else is said.
    """

    def __init__(self, redis: Redis, key_prefix: str, *, defaults: Allowance) -> None:
        self._redis = redis
        self._key = f"{key_prefix}:quotas"
        self._defaults = defaults
        self._memory: Memory[Allowance] = Memory()

    def recall(self, tenant: str) -> Allowance | None:
        """The tenant's quotas without asking Redis, if they were asked for a moment ago."""
        return self._memory.recall(tenant)

    def of(self, tenant: str) -> Allowance:
        """The tenant's quotas, none of them None."""
        known = self._memory.recall(tenant)
        if known is None:
            known = self.said_of(tenant).or_else(self._defaults)
            self._memory.keep(tenant, known)
        return known

    def said_of(self, tenant: str) -> Allowance:
        """What the operator has said of this very tenant."""
        stored = self._redis.hget(self._key, tenant)
        return Allowance.model_validate_json(stored) if stored else Allowance()

    def say(self, tenant: str, allowance: Allowance) -> None:
        """Set a tenant's quotas; an empty allowance gives it the defaults again."""
        if allowance == Allowance():
            self._redis.hdel(self._key, tenant)
        else:
            self._redis.hset(self._key, tenant, allowance.model_dump_json(exclude_none=True))
