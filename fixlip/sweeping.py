"""The sweeper: a process that takes care of the jobs, so that they are taken care of while no worker runs."""

from __future__ import annotations

import logging
import socket
import time
from typing import Final

from redis import Redis, RedisError

from service.jobs.connection import connect
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from service.jobs.upkeep import Upkeep

__all__ = ["REDIS_TIMEOUT_S", "Sweeper", "is_sweeping"]

REDIS_TIMEOUT_S: Final = 5.0

_log = logging.getLogger(__name__)


class Sweeper:
    """Sweeps once per heartbeat, and says that it does.

    Args:
        settings: where the jobs are.
    """

    def __init__(self, settings: JobSettings) -> None:
        self._settings = settings
        self._redis = connect(settings.redis_url, timeout_s=REDIS_TIMEOUT_S)
        self._upkeep = Upkeep(self._redis, settings, BundleStore.open(settings, self._redis))
        self._is_redis_away = False

    def run(self) -> None:
        """Sweep for ever; an interrupt may end it anywhere, since every sweep can be done again."""
        while True:
            self.sweep()
            time.sleep(self._settings.heartbeat_s)

    def sweep(self) -> None:
        """Sweep once; without Redis there is nothing to do but wait for it."""
        try:
            self._upkeep.sweep()
            lasts_ms = int(1000 * self._settings.liveness_ttl_s)
            self._redis.set(_sign(self._settings), socket.gethostname(), px=max(1, lasts_ms))
        except RedisError as error:
            if not self._is_redis_away:
                _log.warning("Redis is away: %s", error)
            self._is_redis_away = True
        else:
            if self._is_redis_away:
                _log.warning("Redis is back")
            self._is_redis_away = False


def is_sweeping(redis: Redis, settings: JobSettings) -> bool:
    """Whether a sweeper of this host has swept within the last three heartbeats.

    Raises:
        redis.RedisError: Redis did not answer.
    """
    return bool(redis.exists(_sign(settings)))


def _sign(settings: JobSettings) -> str:
    """Redis key of this host's sweeper; it lapses unless the sweeper goes on."""
    return f"{settings.key_prefix}:sweeper:{socket.gethostname()}"
