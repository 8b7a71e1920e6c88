"""Delivering the messages in the outbox."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

from redis import Redis, RedisError

from service.jobs.outbox import Letter, Outbox
from service.jobs.records import Job
from service.jobs.webhook_secrets import WebhookSecrets
from service.observability.logs import log_context
from service.outbound.caller import Caller
from service.outbound.destinations import Destination
from service.outbound.errors import OutboundError
from service.outbound.network import Deadline
from service.webhooks.message import message_id_of, message_of, signed_headers
from service.webhooks.settings import WebhookSettings

__all__ = ["Deliverer"]

PER_HOST: Final = 8
"""Messages on their way to one host at once, so that one that is slow leaves the others their share."""
SHORTEST_PAUSE_S: Final = 0.05
"""Between two looks into the outbox, so that Redis has little to do with them."""
LEASE_MARGIN_S: Final = 5.0
JITTER: Final = 0.2
GONE: Final = 410

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers what is due, several messages at once, each by a thread.

    Args:
        redis: where the outbox is.
        settings: how to deliver.
        caller: makes the calls.
    """

    def __init__(self, redis: Redis, settings: WebhookSettings, caller: Caller) -> None:
        self._outbox = Outbox(redis, settings.key_prefix)
        self._secrets = WebhookSecrets(redis, settings.key_prefix)
        self._settings = settings
        self._caller = caller
        self._threads = ThreadPoolExecutor(settings.webhook_concurrency, thread_name_prefix="webhook")
        self._under_way: dict[Future[None], str] = {}

    def deliver_due(self) -> int:
        """Begin to deliver what is due, as far as there are threads for it.

        Returns:
            How many messages are on their way now.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        self._under_way = {future: host for future, host in self._under_way.items() if not future.done()}
        room = self._settings.webhook_concurrency - len(self._under_way)
        if room:
            # Longer than an attempt takes with Redis slow before and after it.
            lease_s = 2 * self._settings.webhook_timeout_s + LEASE_MARGIN_S
            busy = Counter(self._under_way.values())
            for letter in self._outbox.claim(room, lease_s=lease_s, busy=busy, per_host=PER_HOST):
                self._under_way[self._threads.submit(self._deliver, letter)] = letter.host
        return len(self._under_way)

    def wait(self, longest_s: float) -> None:
        """Until there may be more to do: something that was begun has ended, or ``longest_s`` seconds have passed."""
        time.sleep(SHORTEST_PAUSE_S)
        if self._under_way:
            wait(self._under_way, longest_s, FIRST_COMPLETED)
        else:
            time.sleep(longest_s)

    def close(self) -> None:
        """End, once what was begun has."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, letter: Letter) -> None:
        """Try once, and say what became of it; without Redis the message is due again when its lease has lapsed."""
        about = letter.about
        subject = {"job_id" if isinstance(about, Job) else "batch_id": about.id}
        with log_context(**subject, request_id=about.request_id, tenant=letter.tenant):
            try:
                reason, is_gone = self._outcome(letter)
                self._settle(letter, reason, is_gone=is_gone)
            except RedisError as error:
                _log.warning("what became of the webhook to %s could not be recorded: %s", letter.host, error)

    def _outcome(self, letter: Letter) -> tuple[str | None, bool]:
        """What :meth:`_attempt` says; what nobody foresaw is a failed try, too, so that it ends some time."""
        try:
            return self._attempt(letter)
        except RedisError:
            raise
        except Exception:
            _log.exception("the webhook to %s was not delivered", letter.host)
            return "an unexpected error", False

    def _settle(self, letter: Letter, reason: str | None, *, is_gone: bool) -> None:
        pauses_s, attempts = self._settings.webhook_retries_s, letter.webhook.attempts
        if reason is None:
            self._outbox.delivered(letter)
        elif is_gone or attempts >= len(pauses_s):
            _log.warning("the webhook to %s is given up: %s", letter.host, reason)
            self._outbox.given_up(letter)
        else:
            _log.info("the webhook to %s failed: %s", letter.host, reason)
            self._outbox.retry(letter, delay_s=pauses_s[attempts] * random.uniform(1, 1 + JITTER))

    def _attempt(self, letter: Letter) -> tuple[str | None, bool]:
        """Why the message was not taken, None where it was; and whether the receiver wants no more."""
        secrets = self._secrets.all_of(letter.tenant)
        if not secrets:
            return "the tenant has no secret to sign with", False
        message = message_of(letter.about)
        headers = signed_headers(message, message_id=message_id_of(letter.about), secrets=secrets)
        deadline = Deadline(self._settings.webhook_timeout_s)
        try:
            to = Destination.parse(letter.webhook.url)
            with self._caller.call("POST", to, deadline=deadline, headers=headers, content=message) as answer:
                status = answer.status
        except OutboundError as error:
            return str(error), False
        return None if 200 <= status < 300 else f"status {status}", status == GONE
