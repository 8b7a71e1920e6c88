"""Redis clients that answer, or fail, soon."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

__all__ = ["connect"]


def connect(url: str, *, timeout_s: float) -> Redis:
    """A client of the Redis at ``url``; no connection is made yet.

    ``timeout_s`` bounds both connecting and every answer, in seconds. Commands are never sent twice: a transaction that
    was executed although its answer was lost must not be repeated.
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )
