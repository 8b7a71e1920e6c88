"""The messages about ended jobs and batches that are to be delivered: who delivers which, and what became of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic_core import to_json
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs._ledger import Ledger
from service.jobs.batches._scripts import SETTLE
from service.jobs.batches._stored import read_batches
from service.jobs.batches.records import Batch
from service.jobs.errors import BatchUnreadableError, JobNotFoundError, JobUnreadableError
from service.jobs.records import Job, JobWebhook, WebhookState
from service.jobs.registers.outbox import batch_of
from service.jobs.registers.register import Change

__all__ = ["Letter", "Outbox"]

POSTPONED_S: Final = 1.0
LOOKED_AT: Final = 1000
"""Messages that are due of which one claim looks at so many, so that Redis is not held up."""

_log = logging.getLogger(__name__)

# What is claimed is due again when its lease has lapsed, so that a deliverer that died takes no message with it.
_CLAIM: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local limit, lease_s, postponed_s, looked_at, each = unpack(ARGV, 1, 5)
local free = cjson.decode(ARGV[6])
local claimed, left_over = {}, {}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', now), 'LIMIT', 0, looked_at)
for _, letter in ipairs(due) do
    if #claimed == tonumber(limit) then
        break
    end
    local host = string.match(letter, '^%S+')
    local left = free[host] or tonumber(each)
    if left > 0 then
        free[host] = left - 1
        claimed[#claimed + 1] = letter
        redis.call('ZADD', KEYS[1], string.format('%.6f', now + lease_s), letter)
    else
        left_over[#left_over + 1] = letter
    end
end
if #due == tonumber(looked_at) and #claimed < tonumber(limit) then
    for i, letter in ipairs(left_over) do
        redis.call('ZADD', KEYS[1], string.format('%.6f', now + postponed_s + i / 1e6), letter)
    end
end
return claimed
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was given to a deliverer.

    Attributes:
        name: by which the outbox knows it.
        host: to which it goes.
        about: the job or the batch that it tells of.
        webhook: where it goes, and how often that was tried.
        tenant: whose secrets sign it.
    """

    name: str
    host: str
    about: Job | Batch
    webhook: JobWebhook
    tenant: str


class Outbox:
    """Gives each message to one deliverer at a time, until it was delivered or given up.

    A deliverer that dies after delivering and before saying so leaves the message to be delivered again: receivers
    know it by its id. Every method may raise ``redis.RedisError`` when Redis does not answer.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._keys = Keys(key_prefix)
        self._ledger = Ledger(redis, self._keys)
        self._redis = redis
        self._claim = redis.register_script(_CLAIM)
        self._settle_batch = redis.register_script(SETTLE)

    def claim(self, limit: int, *, lease_s: float, busy: Mapping[str, int], per_host: int) -> list[Letter]:
        """Take messages that are due, to deliver them.

        Args:
            limit: how many at most.
            lease_s: after how long they are due again, unless they are settled before.
            busy: how many messages are on their way to which host.
            per_host: how many may be, to each host. Further ones wait; where they are many, behind all others.
        """
        free = {host: per_host - count for host, count in busy.items()}
        arguments: list[bytes | float] = [limit, lease_s, POSTPONED_S, LOOKED_AT, per_host, to_json(free)]
        names = map(text, self._claim(keys=[self._keys.outbox], args=arguments))
        return list(self._readable(names))

    def delivered(self, letter: Letter) -> None:
        """The message has arrived."""
        self._settle(letter, WebhookState.DELIVERED)

    def given_up(self, letter: Letter) -> None:
        """The message was not taken, and will not be offered again."""
        self._settle(letter, WebhookState.FAILED)

    def retry(self, letter: Letter, *, delay_s: float) -> None:
        """The message was not taken, and is to be offered again after ``delay_s`` seconds."""
        self._settle(letter, WebhookState.PENDING, due=self._ledger.now() + delay_s)

    def _settle(self, letter: Letter, state: WebhookState, *, due: float = 0.0) -> None:
        """Record an attempt, and whether it was the last, unless another deliverer did so meanwhile.

        Args:
            letter: what was attempted.
            state: what has become of it.
            due: of one that is pending, the instant at which it is offered again, seconds since 1970.
        """
        about, webhook = letter.about, letter.webhook
        if isinstance(about, Batch):  # whose message may be that of another end already, so all of it is one script
            keys, expected = [self._keys.batch(about.id), self._keys.outbox], [about.retries, webhook.attempts]
            self._settle_batch(keys=keys, args=[*expected, state.value, f"{due:.6f}"])
            return
        tried = webhook.model_copy(update={"state": state, "attempts": webhook.attempts + 1})
        row = self._ledger.change(
            about.id, lambda row: Change(fields={"webhook": tried}) if row.job.webhook == webhook else None
        )
        # In this order: a message whose record is settled is taken out of the outbox by whoever claims it next.
        if state is not WebhookState.PENDING:
            self._redis.zrem(self._keys.outbox, letter.name)
        elif row is not None:
            self._redis.zadd(self._keys.outbox, {letter.name: due}, xx=True)

    def _readable(self, names: Iterable[str]) -> Iterator[Letter]:
        for name in names:
            host, _, subject = name.partition(" ")
            try:
                found = self._find(subject)
            except (JobUnreadableError, BatchUnreadableError) as error:  # others can read it, when its lease has lapsed
                _log.warning("%s", error)
                continue
            about, tenant = found or (None, "")
            webhook = about.webhook if about else None
            if about and webhook and webhook.state is WebhookState.PENDING and about.completed_at is not None:
                yield Letter(name, host, about, webhook, tenant)
            elif not isinstance(about, Batch):  # of which scripts take it out, and may have put in that of another end
                self._redis.zrem(self._keys.outbox, name)

    def _find(self, subject: str) -> tuple[Job | Batch, str] | None:
        """What a message tells of, and whose that is; None where it is there no more."""
        if (batch_id := batch_of(subject)) is not None:
            (batch,) = read_batches(self._redis, self._keys, [batch_id])
            if isinstance(batch, BatchUnreadableError):
                raise batch
            return (batch.record(retention_s=0), batch.submitted.tenant) if batch else None
        try:
            row = self._ledger.row(subject)
        except JobNotFoundError:
            return None
        return row.job, row.books.tenant
