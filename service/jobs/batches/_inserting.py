"""The transaction that writes a batch."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis, RedisError, WatchError
from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import ReservedKey
from service.jobs.batches._stored import Submitted, holder_of, member_of
from service.jobs.registers.outbox import batch_letter
from service.jobs.registers.reserved_keys import settle
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.holdings import hold

__all__ = ["insert"]


def insert(
    redis: Redis,
    keys: Keys,
    batch_id: str,
    submitted: Submitted,
    held: Sequence[Bundle],
    reservation: ReservedKey | None,
) -> bool:
    """Write a batch, all of whose items wait.

    Args:
        redis: where it is written.
        keys: names of the keys.
        batch_id: the batch.
        submitted: what never changes of it.
        held: the bundles that it holds.
        reservation: the Idempotency-Key under which it was submitted.

    Returns:
        Whether it was written; not where there is one of this id.

    Raises:
        redis.RedisError: Redis did not answer.
    """
    try:
        with redis.pipeline(transaction=True) as pipe:
            pipe.watch(keys.batch(batch_id))
            if pipe.exists(keys.batch(batch_id)):
                return False
            pipe.multi()
            _add_batch(pipe, keys, batch_id, submitted)
            _add_holdings(pipe, keys, batch_id, submitted.tenant, held)
            if reservation is not None:
                settle(pipe, keys, reservation, batch_id)
            pipe.execute()
    except WatchError as conflict:
        if isinstance(conflict.__context__, RedisError):  # to redis-py a lost connection is a conflict too
            raise conflict.__context__ from None
        return False  # somebody else has written it
    return True


def _add_batch(pipe: Pipeline, keys: Keys, batch_id: str, submitted: Submitted) -> None:
    pipe.hset(keys.batch(batch_id), mapping={"submitted": submitted.model_dump_json()})
    if submitted.webhook_url is not None:
        pipe.hset(keys.batch(batch_id), "letter", batch_letter(batch_id, submitted.webhook_url))
    pipe.hset(keys.batch_counts(batch_id), mapping={"total": submitted.total})
    pipe.zadd(keys.batch_waiting(batch_id), {str(index): index for index in range(submitted.total)})
    pipe.zadd(keys.batches_to_feed, {batch_id: 0})
    # Of one score, members are sorted by their names.
    pipe.zadd(keys.batches_of(submitted.tenant), {member_of(batch_id, submitted.created_at): 0})


def _add_holdings(pipe: Pipeline, keys: Keys, batch_id: str, tenant: str, held: Sequence[Bundle]) -> None:
    pipe.hset(keys.batch_bundles(batch_id), mapping={bundle.digest: bundle.size_bytes for bundle in held})
    for bundle in held:
        hold(pipe, keys, bundle.digest, holder_of(batch_id))
    pipe.hincrby(keys.stored_bytes, tenant, sum(bundle.size_bytes for bundle in held))
