"""Batches from their submission to their end: what is asked of them, and what they say."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from redis import Redis, RedisError
from redis.commands.core import Script

from service.jobs._keys import Keys, text
from service.jobs._ledger import Ledger
from service.jobs._page_tokens import make_token, read_token
from service.jobs._rows import ReservedKey
from service.jobs.batches._inserting import insert
from service.jobs.batches._items import pack_items
from service.jobs.batches._scripts import CANCEL, RETRY
from service.jobs.batches._stored import StoredBatch, Submitted, read_batches
from service.jobs.batches.feeding import Feeder
from service.jobs.batches.records import Batch, BatchItem, BatchRow
from service.jobs.batches.removal import BatchRemoval
from service.jobs.batches.rows import BatchRows
from service.jobs.errors import (
    BatchFinalError,
    BatchNotFoundError,
    BatchOpenError,
    BatchUnreadableError,
    JobFinalError,
    JobNotFoundError,
    JobUnreadableError,
    NothingToRetryError,
)
from service.jobs.queue import JobQueue
from service.jobs.records import DEFAULT_TENANT
from service.jobs.registers.batches import batch_keys
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore

__all__ = ["MAX_ROWS", "BatchPage", "BatchRepository"]

MAX_ROWS: Final = 100
"""Rows that can be read at once."""
REMOVED_AT_ONCE: Final = 100
"""Items whose jobs a deletion removes itself; what is beyond them is left to the sweeps."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Some of the batches, newest first.

    Attributes:
        batches: them.
        next_token: asks for the next page; None where there is none.
    """

    batches: list[Batch]
    next_token: str | None


class BatchRepository:
    """The batches' records, and the rules by which they change.

    The items lie in the store; in Redis is which of them wait, how many jobs stand where, and what was decided about
    the batch as a whole. A batch's jobs are jobs like others, but that the batch holds their inputs, and that they go
    when the batch goes: not before, and not with their own end. Every act may be repeated. Every method may raise
    ``redis.RedisError`` when Redis does not answer, and ``BatchUnreadableError`` about a batch that another version of
    this program has written.

    Args:
        redis: where they are.
        settings: of the jobs.
        bundles: where their items are.
    """

    def __init__(self, redis: Redis, settings: JobSettings, bundles: BundleStore) -> None:
        self._redis = redis
        self._retention_s = settings.retention_s
        self._bundles = bundles
        self._keys = Keys(settings.key_prefix)
        self._ledger = Ledger(redis, self._keys)
        self._jobs = JobRepository.of(settings, redis)
        self._queue = JobQueue(redis, settings)
        self._feeder = Feeder(redis, settings, bundles)
        self._removal = BatchRemoval(redis, self._keys, retention_s=settings.retention_s)
        self._rows = BatchRows(redis, self._keys, bundles)
        self._cancel = redis.register_script(CANCEL)
        self._retry = redis.register_script(RETRY)

    def create(
        self,
        batch_id: str,
        items: Sequence[BatchItem],
        *,
        tenant: str = DEFAULT_TENANT,
        metadata: Mapping[str, str] | None = None,
        request_id: str | None = None,
        traceparent: str | None = None,
        webhook_url: str | None = None,
        reservation: ReservedKey | None = None,
    ) -> Batch | None:
        """Store a batch in one transaction; its first jobs are in the queue when this returns, unless others' are.

        Args:
            batch_id: 32 hex digits.
            items: what is asked for, at least one; their inputs are in the store already.
            tenant: whose it is.
            metadata: the caller's notes.
            request_id: of the request that submits it.
            traceparent: the span of its submission, if there are traces.
            webhook_url: where its end is told.
            reservation: the Idempotency-Key under which it is submitted.

        Returns:
            The batch; None where there is a batch of this id already, and nothing is changed.

        Raises:
            StorageUnavailableError: the items cannot be stored.
        """
        stored = self._bundles.add(pack_items(items))
        submitted = Submitted(
            tenant=tenant,
            items=stored,
            total=len(items),
            created_at=datetime.fromtimestamp(self._ledger.now(), UTC),
            metadata=dict(metadata or {}),
            request_id=request_id,
            traceparent=traceparent,
            webhook_url=webhook_url,
        )
        held = {bundle.digest: bundle for bundle in (stored, *(item.inputs for item in items))}
        if not insert(self._redis, self._keys, batch_id, submitted, list(held.values()), reservation):
            return None
        self._feed()
        return self.get(batch_id)

    def get(self, batch_id: str, *, tenant: str | None = None) -> Batch:
        """The batch's record.

        Args:
            batch_id: the batch.
            tenant: who asks; another's batch is not found. None: the service itself.

        Raises:
            BatchNotFoundError: no batch has this id, or it cannot be one.
        """
        return self._stored(batch_id, tenant).record(retention_s=self._retention_s)

    def page(self, tenant: str, *, size: int, token: str | None = None) -> BatchPage:
        """A page of the tenant's batches, newest first.

        Args:
            tenant: whose.
            size: how many at most.
            token: of the page before; None: the first.

        Raises:
            InvalidPageTokenError: the token is none, or one of another list.
        """
        words = ["batches", tenant]
        behind = f"({read_token(token, words)}" if token is not None else "+"
        found: list[Any] = self._redis.zrevrangebylex(self._keys.batches_of(tenant), behind, "-", 0, size + 1)
        members = [text(member) for member in found]
        batches = read_batches(self._redis, self._keys, [member.partition(":")[2] for member in members[:size]])
        for batch in batches:
            if isinstance(batch, BatchUnreadableError):
                _log.warning("a batch is not listed: %s", batch)
        listed = [batch.record(retention_s=self._retention_s) for batch in batches if isinstance(batch, StoredBatch)]
        return BatchPage(listed, make_token(members[size - 1], words) if len(members) > size else None)

    def rows(self, batch_id: str, start: int, size: int, *, tenant: str | None = None) -> list[BatchRow]:
        """Items by their place in the batch, with what has become of each; none behind the last.

        Args:
            batch_id: the batch.
            start: the first item's index.
            size: how many at most, up to :data:`MAX_ROWS`.
            tenant: who asks; another's batch is not found. None: the service itself.

        Raises:
            ArtifactNotFoundError: the items are not in the store.
            BatchNotFoundError: no batch has this id.
            StorageUnavailableError: the store does not answer, or what it gives is damaged.
        """
        return self._rows.read(self._stored(batch_id, tenant), start, min(size, MAX_ROWS))

    def cancel(self, batch_id: str, *, tenant: str | None = None) -> Batch:
        """Make no more jobs; cancel those that wait at once, and ask the workers of those that run.

        Args:
            batch_id: the batch.
            tenant: who asks; another's batch is not found. None: the service itself.

        Returns:
            The batch as it now stands.

        Raises:
            BatchFinalError: it has ended already.
            BatchNotFoundError: no batch has this id.
        """
        self._stored(batch_id, tenant)
        answer = self._decide(self._cancel, batch_id)
        if answer == "final":
            raise BatchFinalError(batch_id)
        self._cancel_jobs(batch_id)
        return self.get(batch_id)

    def retry_failed(self, batch_id: str, *, tenant: str | None = None) -> Batch:
        """Ask again for all that has no result: what failed, expired or was canceled.

        Each such item becomes another job; the earlier one stays as it is, and goes when the batch does.

        Args:
            batch_id: the batch.
            tenant: who asks; another's batch is not found. None: the service itself.

        Returns:
            The batch as it now stands: it is open again.

        Raises:
            BatchNotFoundError: no batch has this id.
            BatchOpenError: it has not ended.
            NothingToRetryError: every item has its result.
        """
        self._stored(batch_id, tenant)
        answer = self._decide(self._retry, batch_id)
        if answer == "open":
            raise BatchOpenError(batch_id)
        if answer == "nothing":
            raise NothingToRetryError(batch_id)
        self._feed()
        return self.get(batch_id)

    def delete(self, batch_id: str, *, tenant: str | None = None) -> None:
        """Remove a batch that has ended, with its jobs and all that is kept of them.

        It is not found from now on. The jobs of a large one go over the next sweeps.

        Args:
            batch_id: the batch.
            tenant: who asks; another's batch is not found. None: the service itself.

        Raises:
            BatchNotFoundError: no batch has this id.
            BatchOpenError: it has not ended.
        """
        if not self._removal.begin(self._stored(batch_id, tenant)):
            raise BatchNotFoundError(batch_id)
        self._removal.go_on(most=REMOVED_AT_ONCE)

    def go_on(self) -> None:
        """Do what is due for all batches: fill the queue, and cancel the jobs of canceled ones, for a canceler may die.

        Several processes may do so at once and any number of times.
        """
        self._feeder.feed()
        for batch_id in map(text, self._redis.smembers(self._keys.canceling_batches)):
            self._cancel_jobs(batch_id)

    def _stored(self, batch_id: str, tenant: str | None) -> StoredBatch:
        (batch,) = read_batches(self._redis, self._keys, [batch_id])
        if batch is None:
            raise BatchNotFoundError(batch_id)
        if isinstance(batch, BatchUnreadableError):
            raise batch
        return batch.seen_by(tenant)

    def _decide(self, script: Script, batch_id: str) -> str:
        """What a script about the batch answers.

        Raises:
            BatchNotFoundError: it has gone meanwhile.
        """
        answer = text(script(keys=batch_keys(self._keys, batch_id), args=[batch_id]))
        if answer == "gone":
            raise BatchNotFoundError(batch_id)
        return answer

    def _cancel_jobs(self, batch_id: str) -> None:
        for job_id in map(text, self._redis.smembers(self._keys.batch_open_jobs(batch_id))):
            with suppress(JobFinalError, JobNotFoundError, JobUnreadableError):
                self._jobs.request_cancel(job_id, queue=self._queue)

    def _feed(self) -> None:
        """Fill the queue; should that not succeed, the next sweep does it."""
        try:
            self._feeder.feed()
        except RedisError as error:
            _log.warning("the queue was not filled: %s", error)
