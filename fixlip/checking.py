"""Health of the processes that serve no port: their signs of life in Redis, asked for on their own host."""

from __future__ import annotations

import socket
from typing import Final, Literal

from redis import RedisError

from fixlip.delivering import is_delivering
from fixlip.errors import UnhealthyError
from fixlip.sweeping import is_sweeping
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.settings import JobSettings

__all__ = ["check"]

REDIS_TIMEOUT_S: Final = 2.0


def check(part: Literal["worker", "sweeper", "webhooks"], settings: JobSettings, *, needs_redis: bool) -> str:
    """What is known of this host's part, if that is good.

    Args:
        part: which.
        settings: those of the part.
        needs_redis: whether a Redis that does not answer, so that nothing is known, counts as bad.

    Raises:
        UnhealthyError: the part has given no sign of life within three heartbeats, or Redis does not answer.
    """
    host, name = socket.gethostname(), "deliverer of webhooks" if part == "webhooks" else part
    try:
        with connect(settings.redis_url, timeout_s=REDIS_TIMEOUT_S) as redis:
            if part == "sweeper":
                lives = is_sweeping(redis, settings)
            elif part == "webhooks":
                lives = is_delivering(redis, settings)
            else:
                lives = Catalogue(redis, settings.key_prefix).lives_on(host)
    except RedisError as error:
        if needs_redis:
            raise UnhealthyError(f"nothing is known of the {name}, as Redis does not answer: {error}") from error
        return f"nothing is known of the {name}, as Redis does not answer"
    if not lives:
        raise UnhealthyError(f"no {name} on {host} has given a sign of life within {settings.liveness_ttl_s:g} s")
    return f"a {name} on {host} is alive"
