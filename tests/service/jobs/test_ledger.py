from __future__ import annotations

import time
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, WatchError

from fixlip.redis_server import RedisServer
from service.jobs._keys import Keys
from service.jobs._ledger import Ledger
from service.jobs._rows import Books, Row
from service.jobs.connection import connect
from service.jobs.errors import JobUnreadableError
from service.jobs.leases import LeaseState
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobStatus
from service.jobs.registers.register import Change
from service.jobs.repository import JobRepository


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis, Keys("fixlip"))


def test_a_row_is_the_record_and_what_is_noted_of_it(ledger: Ledger, job: Job) -> None:
    ledger.insert(job, Books(cost_passes=7), queue=None)

    assert ledger.row(job.id) == Row(job, Books(cost_passes=7))


def test_fields_of_other_versions_are_left_alone(
    ledger: Ledger, repository: JobRepository, redis: Redis, job: Job
) -> None:
    ledger.insert(job, Books(), queue=None)
    redis.hset(f"fixlip:job:{job.id}", "colour", b'"blue"')
    redis.hdel(f"fixlip:job:{job.id}", "attempt", "cancel_requested_at", "losses")

    assert ledger.row(job.id) == Row(job, Books())
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    assert repository.renew([claim.lease], ttl_s=60) == {claim.lease: LeaseState.HELD}
    assert redis.hget(f"fixlip:job:{job.id}", "colour") == b'"blue"'


@pytest.mark.parametrize(("field", "value"), [("metrics", b'{"colour": "blue"}'), ("losses", b'"many"'), ("id", b"{")])
def test_a_row_that_cannot_be_read_says_so(ledger: Ledger, redis: Redis, job: Job, field: str, value: bytes) -> None:
    ledger.insert(job, Books(), queue=None)
    redis.hset(f"fixlip:job:{job.id}", field, value)

    with pytest.raises(JobUnreadableError, match=job.id):
        ledger.row(job.id)
    with pytest.raises(JobUnreadableError, match=job.id):
        ledger.change(job.id, lambda _: None)


@pytest.mark.parametrize("field", ["input", "metadata", "params", "tenant"])
def test_an_error_of_reading_does_not_say_what_was_sent(ledger: Ledger, redis: Redis, job: Job, field: str) -> None:
    ledger.insert(job, Books(), queue=None)
    redis.hset(f"fixlip:job:{job.id}", field, b'["a private caption"]')

    with pytest.raises(JobUnreadableError) as caught:
        ledger.row(job.id)

    assert field in str(caught.value)
    assert "private" not in str(caught.value)


def test_a_change_gives_the_row_as_it_then_stands(ledger: Ledger, job: Job) -> None:
    ledger.insert(job, Books(), queue=None)

    changed = ledger.change(job.id, lambda row: Change(fields={"attempt": row.job.attempt + 1, "retries": 3}))

    assert changed == ledger.row(job.id) == Row(job.model_copy(update={"attempt": 1}), Books(retries=3))


def test_what_a_plan_refuses_is_not_written_and_what_stands_already_is_not_either(ledger: Ledger, job: Job) -> None:
    ledger.insert(job, Books(), queue=None)
    row = ledger.row(job.id)

    assert ledger.change(job.id, lambda _: None) is None
    assert ledger.change(job.id, lambda _: Change(fields={})) == row
    assert ledger.row(job.id) == row


def test_a_plan_is_made_anew_when_another_was_faster(ledger: Ledger, redis: Redis, job: Job) -> None:
    ledger.insert(job, Books(), queue=None)
    seen = []

    def plan(row: Row) -> Change:
        seen.append(row.books.retries)
        if len(seen) < 3:
            redis.hset(f"fixlip:job:{job.id}", "retries", str(10 * len(seen)))
        return Change(fields={"retries": row.books.retries + 1})

    changed = ledger.change(job.id, plan)

    assert seen == [0, 10, 20]
    assert changed is not None
    assert changed.books.retries == 21


def test_a_row_that_never_holds_still_is_given_up(ledger: Ledger, redis: Redis, job: Job) -> None:
    ledger.insert(job, Books(), queue=None)

    def plan(row: Row) -> Change:
        redis.hset(f"fixlip:job:{job.id}", "retries", str(row.books.retries + 1))
        return Change(fields={"losses": 1})

    with pytest.raises(WatchError, match=f"others changed job {job.id}"):
        ledger.change(job.id, plan)
    assert ledger.row(job.id).books.losses == 0


def test_a_server_that_goes_in_the_midst_of_a_change_is_not_asked_for_ever(tmp_path: Path, job: Job) -> None:
    with RedisServer(tmp_path) as server, connect(server.url, timeout_s=5) as redis:
        ledger = Ledger(redis, Keys("fixlip"))
        ledger.insert(job, Books(), queue=None)

        def plan(_: Row) -> Change:
            server.stop()
            return Change(fields={"losses": 1})

        with pytest.raises(RedisConnectionError):
            ledger.change(job.id, plan)


def test_a_server_that_is_the_master_no_longer_is_not_asked_for_ever(tmp_path: Path, job: Job) -> None:
    with RedisServer(tmp_path) as server, connect(server.url, timeout_s=5) as redis:
        ledger = Ledger(redis, Keys("fixlip"))
        ledger.insert(job, Books(), queue=None)
        redis.replicaof("127.0.0.1", "1")
        started = time.monotonic()
        with pytest.raises(ReadOnlyError):
            ledger.change(job.id, lambda _: Change(fields={"losses": 1}))
        assert time.monotonic() - started < 2

        redis.replicaof("NO", "ONE")
        changed = ledger.change(job.id, lambda _: Change(fields={"losses": 1}))
        assert changed is not None


def test_an_open_job_is_in_one_set_and_a_final_one_in_none(
    ledger: Ledger, queue: JobQueue, redis: Redis, job: Job
) -> None:
    ledger.insert(job, Books(cost_passes=5), queue=queue)

    def sets() -> tuple[list[str], bytes | str | None]:
        names = ("queued", "delayed", "leases")
        held = [name for name in names if redis.zscore(f"fixlip:{name}", job.id) is not None]
        return held, redis.get("fixlip:queued_passes")

    assert sets() == (["queued"], b"5")
    ledger.change(job.id, lambda _: Change(fields={"status": JobStatus.RUNNING}, lease_s=1))
    assert sets() == (["leases"], b"0")
    ledger.change(job.id, lambda _: Change(fields={"status": JobStatus.QUEUED, "entry": None}, delay_s=1))
    assert sets() == (["delayed"], b"5")
    ledger.change(job.id, lambda _: Change(fields={"status": JobStatus.QUEUED}, enters=queue))
    assert sets() == (["queued"], b"5")
    ledger.change(job.id, lambda _: Change(fields={"status": JobStatus.QUEUED}, enters=queue))
    assert sets() == (["queued"], b"5")
    ledger.change(job.id, lambda _: Change(fields={"status": JobStatus.EXPIRED}))
    assert sets() == ([], b"0")


def test_a_job_that_is_written_twice_is_there_once(ledger: Ledger, queue: JobQueue, redis: Redis, job: Job) -> None:
    assert ledger.insert(job, Books(cost_passes=5), queue=queue)
    assert not ledger.insert(job, Books(cost_passes=7), queue=queue)

    assert ledger.row(job.id).books.cost_passes == 5
    assert redis.get("fixlip:queued_passes") == b"5"
    assert queue.depth() == 1


def test_a_job_that_has_ended_can_be_removed(ledger: Ledger, redis: Redis, job: Job) -> None:
    ledger.insert(job, Books(), queue=None)
    assert ledger.remove(job.id, lambda _: True) is None
    ended = ledger.change(job.id, lambda _: Change(fields={"status": JobStatus.CANCELED}))

    assert ledger.remove(job.id, lambda _: False) is None
    assert ledger.remove(job.id, lambda row: row == ended) == ended
    assert ledger.remove(job.id, lambda _: True) is None
    assert not redis.exists(f"fixlip:job:{job.id}")
