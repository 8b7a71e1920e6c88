"""Who holds which bundle, so that one is removed when nobody does any more, and not before.

The same files are the same bundle, whoever stores them. So its holders are kept: a job or an upload becomes a *holder*
of its bundles, and ceases to be one, in the transaction that writes or removes it. Between the writing of a bundle and
that transaction its writer has a *grace*: it is claimed first, then written, then held. What neither is held nor within
its grace is garbage: of a job that was removed, of a worker that came too late, of an API that died before it answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final

from redis import Redis
from redis.client import Pipeline

from service.jobs._keys import Keys, text
from service.jobs._removing import WRITES_WHEN_FULL

__all__ = ["GRACE_S", "REMOVED_WITHIN_S", "Holdings", "Kept", "hold", "release"]

GRACE_S: Final = 3600.0
"""How long a bundle that nobody holds stays after it was claimed: far longer than any writer takes to hold it."""

REMOVED_WITHIN_S: Final = 120.0
"""How long a removal may take; a process that died over it is waited for as long."""

# GT, because others' claims must not be cut short.
_CLAIM: Final = """
if redis.call('EXISTS', KEYS[3]) == 1 then
    return -1
end
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local kept_until = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[2]) or 0)
redis.call('ZADD', KEYS[2], 'GT', string.format('%.6f', now + ARGV[1]), ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 2
end
return kept_until > now and 1 or 0
"""

_TAKE_GARBAGE: Final = f"""
{WRITES_WHEN_FULL}local time = redis.call('TIME')
local now = string.format('%.6f', time[1] + time[2] / 1e6)
local taken = {{}}
for _, digest in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
    if redis.call('EXISTS', ARGV[3] .. digest) == 1 then
        redis.call('ZREM', KEYS[1], digest)
    elseif redis.call('SET', ARGV[4] .. digest, '', 'NX', 'PX', ARGV[2]) then
        taken[#taken + 1] = digest
    end
end
return taken
"""


def hold(pipe: Pipeline, keys: Keys, digest: str, holder: str) -> None:
    """Add to a transaction that ``holder`` holds the bundle.

    Its claim is left to lapse: another writer of the same bundle may count on it.
    """
    pipe.sadd(keys.holders(digest), holder)


def release(pipe: Pipeline, keys: Keys, digest: str, holder: str, now: float) -> None:
    """Add to a transaction that ``holder`` holds the bundle no more; if nobody does then, it may be removed."""
    pipe.srem(keys.holders(digest), holder)
    pipe.zadd(keys.unheld, {digest: now}, gt=True)


class Kept(IntEnum):
    """What keeps a bundle: nothing; somebody's claim, who may not have written it yet; or a holder, so it is there."""

    BY_NOTHING = 0
    BY_CLAIM = 1
    BY_HOLDER = 2


class Holdings:
    """The books on who holds what. Every method may raise ``redis.RedisError``."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._claim = redis.register_script(_CLAIM)
        self._take_garbage = redis.register_script(_TAKE_GARBAGE)

    def claim(self, digest: str) -> Kept | None:
        """Keep a bundle, which may not be there yet, from removal for :data:`GRACE_S`.

        Returns:
            What has kept it until now; None where it is being removed just now: ask again.
        """
        keys = [self._keys.holders(digest), self._keys.unheld, self._keys.removing(digest)]
        kept = int(self._claim(keys=keys, args=[GRACE_S, digest]))
        return None if kept < 0 else Kept(kept)

    def take_garbage(self, *, most: int) -> Sequence[str]:
        """Digests of bundles that are to be removed, for whoever asked; until that is done, nobody may write them."""
        prefixes = [self._keys.holders(""), self._keys.removing("")]
        taken = self._take_garbage(keys=[self._keys.unheld], args=[most, int(1000 * REMOVED_WITHIN_S), *prefixes])
        return [text(digest) for digest in taken]

    def removed(self, digests: Iterable[str]) -> None:
        """These bundles are in the store no more."""
        with self._redis.pipeline(transaction=False) as pipe:  # a full Redis refuses transactions
            for digest in digests:
                pipe.zrem(self._keys.unheld, digest)
                pipe.delete(self._keys.removing(digest))
            pipe.execute()
