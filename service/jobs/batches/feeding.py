"""How items become jobs: a few of all batches at a time, each batch in its turn."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs._rows import BatchPlace
from service.jobs.answers import AnswerBook, answered
from service.jobs.batches._items import ItemPages
from service.jobs.batches._scripts import FAIL, PICK
from service.jobs.batches._stored import StoredBatch, read_batches
from service.jobs.batches.records import BatchItem, batch_job_id
from service.jobs.errors import ArtifactNotFoundError, BundleDamagedError, StorageUnavailableError
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure
from service.jobs.registers.batches import batch_keys
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore

__all__ = ["Feeder"]

FEEDS_FOR_S: Final = 0.5
"""Jobs that earlier results answer fill no queue: without an end, one call might make thousands of them."""
_LOCKED_FOR_S: Final = 10.0
_LET_GO: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
_LOST: Final = JobFailure(
    code="batch_items_lost", detail="what the batch asks for can no longer be read from the store; submit it again"
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Turn:
    batch: StoredBatch
    place: BatchPlace


class Feeder:
    """Puts jobs of batches into the queue, until as many are in it as the settings say.

    To be called when a place in the queue becomes free, and now and then besides. Several processes may do so, one of
    them at a time; but nothing depends on that. An item waits until the transaction that writes its job, whose id is
    derived from the item's place: whoever dies before it has done nothing, and whoever does it again makes no second
    job. A batch whose items are lost fails as far as they have not become jobs.

    Args:
        redis: where the batches are.
        settings: of the jobs.
        bundles: where their items are.
    """

    def __init__(self, redis: Redis, settings: JobSettings, bundles: BundleStore) -> None:
        self._redis = redis
        self._window = settings.batch_window
        self._keys = Keys(settings.key_prefix)
        self._jobs = JobRepository.of(settings, redis)
        self._queue = JobQueue(redis, settings)
        self._answers = AnswerBook(redis, settings.key_prefix, bundles)
        self._pages = ItemPages(bundles)
        self._held_up: set[str] = set()
        self._pick_items = redis.register_script(PICK)
        self._fail_rest = redis.register_script(FAIL)
        self._let_go = redis.register_script(_LET_GO)

    def feed(self) -> int:
        """Fill the places that are free; gives how many jobs were made.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        if not self._redis.exists(self._keys.batches_to_feed):
            return 0
        with self._to_itself() as may:
            return self._fill() if may else 0

    @contextmanager
    def _to_itself(self) -> Iterator[bool]:
        token = uuid.uuid4().hex
        may = bool(self._redis.set(self._keys.feeding, token, nx=True, px=int(1000 * _LOCKED_FOR_S)))
        try:
            yield may
        finally:
            if may:
                self._let_go(keys=[self._keys.feeding], args=[token])

    def _fill(self) -> int:
        made, left_out, ends_s = 0, set[str](), time.monotonic() + FEEDS_FOR_S
        while (free := self._window - self._redis.scard(self._keys.batch_jobs_in_queue)) > 0:
            n_left_out = len(left_out)
            made_now = sum(self._make_jobs(self._pick(free, left_out), left_out))
            made += made_now
            if (not made_now and len(left_out) == n_left_out) or time.monotonic() > ends_s:
                break
        return made

    def _pick(self, most: int, left_out: set[str]) -> list[_Turn]:
        """The items whose turn it is; they go on waiting."""
        keys = self._keys
        names = [keys.batch_waiting(""), keys.batch_counts(""), keys.batch_retries("")]
        arguments: list[str | int] = [most, self._window, *names, *left_out]
        picked = self._pick_items(keys=[keys.batches_to_feed, keys.batch_turns], args=arguments)
        places = [
            BatchPlace(batch_id=text(batch_id), index=int(index), retry=int(retry)) for batch_id, index, retry in picked
        ]
        batch_ids = list(dict.fromkeys(place.batch_id for place in places))
        found = dict(zip(batch_ids, read_batches(self._redis, keys, batch_ids), strict=True))
        # What another version of this program has written is left to it.
        left_out.update(batch_id for batch_id, batch in found.items() if not isinstance(batch, StoredBatch))
        known = ((found[place.batch_id], place) for place in places)
        return [_Turn(batch, place) for batch, place in known if isinstance(batch, StoredBatch)]

    def _make_jobs(self, turns: list[_Turn], left_out: set[str]) -> Iterator[bool]:
        """Whether each turn has given a job; batches whose items cannot be read are left out from now on."""
        for turn in turns:
            if turn.batch.id in left_out:
                continue
            try:
                item = self._pages.item(turn.batch.submitted.items, turn.place.index)
            except (ArtifactNotFoundError, BundleDamagedError, ValueError) as error:
                _log.error("batch %s fails: its items cannot be read: %s", turn.batch.id, error)
                self._fail(turn.batch)
                left_out.add(turn.batch.id)
            except StorageUnavailableError as error:
                if turn.batch.id not in self._held_up:
                    _log.warning("batch %s has to wait: %s", turn.batch.id, error)
                self._held_up.add(turn.batch.id)
                left_out.add(turn.batch.id)
            else:
                self._held_up.discard(turn.batch.id)
                yield self._make_job(turn, item)

    def _make_job(self, turn: _Turn, item: BatchItem) -> bool:
        job, batch = _job_of(turn, item), turn.batch.submitted
        earlier = self._answers.find(item.question) if item.question and item.use_cache else None
        if earlier is not None:
            answer, results = earlier
            row = self._jobs.create(
                answered(job, answer), tenant=batch.tenant, results=results, answers=item.question, batch=turn.place
            )
        else:
            row = self._jobs.create(
                job,
                tenant=batch.tenant,
                queue=self._queue,
                cost_passes=item.cost_passes,
                inputs=item.inputs,
                answers=item.question,
                traceparent=batch.traceparent,
                batch=turn.place,
            )
        return row is not None

    def _fail(self, batch: StoredBatch) -> None:
        self._fail_rest(keys=batch_keys(self._keys, batch.id), args=[batch.id, _LOST.model_dump_json()])


def _job_of(turn: _Turn, item: BatchItem) -> Job:
    place = turn.place
    return Job(
        id=batch_job_id(place.batch_id, place.index, place.retry),
        model=item.model,
        method=item.method,
        params=item.params,
        input=item.input,
        evaluate=item.evaluate,
        maps=item.maps,
        metadata=item.metadata,
        request_id=turn.batch.submitted.request_id,
        batch_id=place.batch_id,
        custom_id=item.custom_id,
    )
