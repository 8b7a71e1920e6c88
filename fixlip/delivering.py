"""The deliverer of webhooks: a process that tells receivers of jobs that have ended."""

from __future__ import annotations

import logging
import socket
import time
from typing import Final

from redis import Redis, RedisError

from service.jobs.connection import connect
from service.jobs.settings import JobSettings
from service.outbound.caller import Caller
from service.webhooks.deliverer import Deliverer
from service.webhooks.settings import WebhookSettings

__all__ = ["REDIS_TIMEOUT_S", "WebhookProcess", "is_delivering"]

REDIS_TIMEOUT_S: Final = 5.0
POLL_S: Final = 0.25
"""How long a message that is due may lie in the outbox unseen."""

_log = logging.getLogger(__name__)


class WebhookProcess:
    """Delivers what is due, and says once per heartbeat that it does.

    Args:
        settings: where the jobs are, and how to deliver.
    """

    def __init__(self, settings: WebhookSettings) -> None:
        self._settings = settings
        self._redis = connect(settings.redis_url, timeout_s=REDIS_TIMEOUT_S)
        self._deliverer = Deliverer(self._redis, settings, Caller(settings.trust))
        self._signed_at = -float("inf")
        self._is_redis_away = False

    def run(self) -> None:
        """Deliver until an interrupt, which lets what is under way come to its end."""
        try:
            while True:
                self.step()
                self._deliverer.wait(POLL_S)
        finally:
            self._deliverer.close()

    def step(self) -> None:
        """Begin to deliver what is due; without Redis there is nothing to do but wait for it."""
        try:
            self._give_sign()
            self._deliverer.deliver_due()
        except RedisError as error:
            if not self._is_redis_away:
                _log.warning("Redis is away: %s", error)
            self._is_redis_away = True
        else:
            if self._is_redis_away:
                _log.warning("Redis is back")
            self._is_redis_away = False

    def _give_sign(self) -> None:
        now = time.monotonic()
        if now - self._signed_at >= self._settings.heartbeat_s:
            lasts_ms = int(1000 * self._settings.liveness_ttl_s)
            self._redis.set(_sign(self._settings), socket.gethostname(), px=max(1, lasts_ms))
            self._signed_at = now


def is_delivering(redis: Redis, settings: JobSettings) -> bool:
    """Whether a deliverer of this host has given a sign within the last three heartbeats.

    Raises:
        redis.RedisError: Redis did not answer.
    """
    return bool(redis.exists(_sign(settings)))


def _sign(settings: JobSettings) -> str:
    """Redis key of this host's deliverer; it lapses unless the deliverer goes on."""
    return f"{settings.key_prefix}:webhooks:{socket.gethostname()}"
