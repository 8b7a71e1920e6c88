"""How much tenants use within a minute or a day, counted in Redis for all processes of the API."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from limits.storage import RedisStorage
from redis import Redis

from service.access._memory import Memory

__all__ = ["Standing", "Window", "counters"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a tenant stands within a window.

    Attributes:
        quota: name of what is counted.
        limit: how much there is for a window.
        window_s: how long a window is.
        remaining: how much of it is left.
        resets_in_s: seconds until the next window, with all there is.
    """

    quota: str
    limit: int
    window_s: int
    remaining: int
    resets_in_s: int


def counters(redis: Redis, key_prefix: str) -> RedisStorage:
    """What counts within windows, through the connections of ``redis``; nothing is asked of Redis yet."""
    # The URL only says what kind of storage it is: where a pool is given, nothing else of it is used.
    return RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=f"{key_prefix}:used")


class Window:
    """Counts one thing. A window begins with the first use after the last one has ended.

    Redis's clock tells when a window ends. Every method may raise ``redis.RedisError``.

    Args:
        quota: name of what is counted.
        length_s: seconds from the beginning of a window to its end.
        counts: see :func:`counters`.
    """

    def __init__(self, quota: str, length_s: int, counts: RedisStorage) -> None:
        self.quota = quota
        self.length_s = length_s
        self._counts = counts
        self._ends_at: Memory[float] = Memory()

    def has(self, tenant: str, limit: int, amount: int) -> bool:
        """Whether so much is left."""
        return self._counts.get(self._key(tenant)) + amount <= limit

    def take(self, tenant: str, limit: int, amount: int = 1) -> tuple[bool, Standing]:
        """Use so much, if it is left; else nothing.

        Returns:
            Whether it was left, and where the tenant stands now.
        """
        used = self._counts.incr(self._key(tenant), self.length_s, amount)
        if used > limit:
            self.give_back(tenant, amount)
            return False, self._standing(tenant, limit, used - amount)
        return True, self._standing(tenant, limit, used)

    def give_back(self, tenant: str, amount: int) -> None:
        """Undo :meth:`take`, if the window still lasts."""
        if self._counts.get(self._key(tenant)) >= amount:
            self._counts.incr(self._key(tenant), self.length_s, -amount)

    def standing(self, tenant: str, limit: int) -> Standing:
        """Where the tenant stands."""
        return self._standing(tenant, limit, self._counts.get(self._key(tenant)))

    def _standing(self, tenant: str, limit: int, used: int) -> Standing:
        left_s = self._left_s(tenant) if used > 0 else self.length_s  # one that has not begun has no end yet
        return Standing(self.quota, limit, self.length_s, max(0, limit - used), left_s)

    def _left_s(self, tenant: str) -> int:
        """Seconds until the tenant's window ends; asked of Redis no more often than must be."""
        now = time.time()
        ends_at = self._ends_at.recall(tenant)
        if ends_at is None or ends_at <= now:
            ends_at = self._counts.get_expiry(self._key(tenant))
            self._ends_at.keep(tenant, ends_at)
        return max(1, math.ceil(ends_at - now))

    def _key(self, tenant: str) -> str:
        return f"{self.quota}:{tenant}"
