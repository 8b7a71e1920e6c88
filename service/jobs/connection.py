"""Redis clients that answer, or fail, soon, and that find the master again after a failover."""

from __future__ import annotations

from typing import Any

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from service.jobs.sentinels import SCHEME, SentinelAddress, master_of

__all__ = ["check_url", "connect"]


def connect(url: str, *, timeout_s: float) -> Redis:
    """A client of the Redis at ``url``; no connection is made yet.

    Commands are never sent twice: a transaction that was executed although its answer was lost must not be repeated.
    A connection whose server has become a replica, which then refuses to write, is dropped, so that the next command
    finds whoever is the master by then.

    Args:
        url: ``redis://``, ``rediss://``, ``unix://``, or for a master that sentinels name
            ``redis+sentinel://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]/DB?master=NAME``, where
            ``sentinel_username`` and ``sentinel_password`` are the sentinels' own.
        timeout_s: bounds both connecting and every answer, seconds; for each of the servers that are asked.

    Raises:
        ValueError: the URL is none of these.
    """
    errors = (RedisConnectionError, RedisTimeoutError, ReadOnlyError)
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        # No retries: the errors are those after which a connection is dropped.
        "retry": Retry(NoBackoff(), 0, supported_errors=errors),
        "decode_responses": False,
    }
    return master_of(url, options) if url.startswith(SCHEME) else Redis.from_url(url, **options)


def check_url(url: str) -> None:
    """Whether :func:`connect` takes ``url``.

    Raises:
        ValueError: it does not, and why.
    """
    if url.startswith(SCHEME):
        SentinelAddress.parse(url)
    elif url.startswith(("redis://", "rediss://", "unix://")):
        ConnectionPool.from_url(url)
    else:
        raise ValueError(f"it must start with redis://, rediss://, unix:// or {SCHEME}")
