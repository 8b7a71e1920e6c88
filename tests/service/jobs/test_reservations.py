from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from service.jobs.queue import JobQueue
from service.jobs.records import Job
from service.jobs.repository import JobRepository
from service.jobs.reservations import HELD_FOR_S, Reservation, Reservations, ReservationState

HELD, IN_FLIGHT = ReservationState.HELD, ReservationState.IN_FLIGHT
SETTLED, MISMATCHED = ReservationState.SETTLED, ReservationState.MISMATCHED


@pytest.fixture
def reservations(redis: Redis) -> Reservations:
    return Reservations(redis)


def reserve(reservations: Reservations, *, tenant: str = "a", fingerprint: str = "body") -> Reservation:
    return reservations.reserve("a-key", tenant=tenant, fingerprint=fingerprint)


def key_of(redis: Redis) -> bytes | str:
    (key,) = redis.keys("fixlip:idempotency:*")
    return key


def let_hold_lapse(redis: Redis) -> None:
    redis.hset(key_of(redis), "held_until", 1)


def write(repository: JobRepository, queue: JobQueue, job: Job, reservation: Reservation) -> bool:
    own = job.model_copy(update={"id": reservation.job_id})
    return repository.create(own, queue=queue, reservation=reservation.key) is not None


def test_a_key_is_held_by_one_and_settled_with_its_job(
    reservations: Reservations, repository: JobRepository, queue: JobQueue, job: Job, redis: Redis
) -> None:
    first = reserve(reservations)
    assert first.state is HELD

    second = reserve(reservations)
    assert (second.state, second.job_id) == (IN_FLIGHT, first.job_id)

    assert write(repository, queue, job, first)
    third = reserve(reservations)
    assert (third.state, third.job_id) == (SETTLED, first.job_id)
    assert 23 * 3600 < redis.ttl(key_of(redis)) <= 24 * 3600


def test_another_request_under_the_same_key_is_a_mismatch(
    reservations: Reservations, repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    first = reserve(reservations)
    assert reserve(reservations, fingerprint="other").state is MISMATCHED

    write(repository, queue, job, first)
    assert reserve(reservations, fingerprint="other").state is MISMATCHED


def test_tenants_have_keys_of_their_own(reservations: Reservations) -> None:
    mine, theirs = reserve(reservations), reserve(reservations, tenant="b", fingerprint="other")

    assert (mine.state, theirs.state) == (HELD, HELD)
    assert mine.job_id != theirs.job_id


def test_what_a_dead_submission_held_is_finished_by_the_next_with_the_same_job(
    reservations: Reservations, repository: JobRepository, queue: JobQueue, job: Job, redis: Redis
) -> None:
    first = reserve(reservations)
    assert 0 < float(redis.hget(key_of(redis), "held_until") or 0) - redis.time()[0] <= HELD_FOR_S + 1
    let_hold_lapse(redis)

    second = reserve(reservations)
    assert (second.state, second.job_id) == (HELD, first.job_id)

    # The first was only slow: whoever is later finds that the job is there.
    assert write(repository, queue, job, second)
    assert not write(repository, queue, job, first)
    assert queue.depth() == 1


def test_who_was_slow_cannot_let_go_of_what_another_holds(reservations: Reservations, redis: Redis) -> None:
    slow = reserve(reservations)
    let_hold_lapse(redis)
    quick = reserve(reservations)

    reservations.forget(slow)
    reservations.yield_(slow)

    again = reserve(reservations)
    assert (again.state, again.job_id) == (IN_FLIGHT, quick.job_id)


def test_who_fails_after_another_does_not_forget_the_job_that_the_other_may_still_write(
    reservations: Reservations, repository: JobRepository, queue: JobQueue, job: Job, redis: Redis
) -> None:
    slow = reserve(reservations)
    let_hold_lapse(redis)
    reservations.forget(reserve(reservations))

    third = reserve(reservations)
    assert (third.state, third.job_id) == (HELD, slow.job_id)
    assert write(repository, queue, job, slow)
    assert not write(repository, queue, job, third)
    assert queue.depth() == 1


def test_nobody_lets_go_of_a_settled_key(
    reservations: Reservations, repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    first = reserve(reservations)
    write(repository, queue, job, first)

    reservations.forget(first)
    reservations.yield_(first)

    assert reserve(reservations).state is SETTLED


def test_a_forgotten_key_is_as_good_as_new(reservations: Reservations, redis: Redis) -> None:
    first = reserve(reservations)
    reservations.forget(first)
    assert redis.keys("fixlip:idempotency:*") == []

    second = reserve(reservations, fingerprint="other")
    assert second.state is HELD
    assert second.job_id != first.job_id


def test_a_yielded_key_can_be_had_at_once_for_the_same_job_or_for_another_request(reservations: Reservations) -> None:
    first = reserve(reservations)
    reservations.yield_(first)
    second = reserve(reservations)
    assert (second.state, second.job_id) == (HELD, first.job_id)

    reservations.yield_(second)
    other = reserve(reservations, fingerprint="other")
    assert other.state is HELD
    assert other.job_id != first.job_id


def test_of_many_at_once_one_holds_the_key(reservations: Reservations) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: reserve(reservations), range(64)))

    assert sorted(one.state for one in made) == sorted([HELD, *[IN_FLIGHT] * 63])
    assert len({one.job_id for one in made}) == 1


def test_a_key_outlives_its_job(
    reservations: Reservations, repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    first = reserve(reservations)
    write(repository, queue, job, first)
    repository.request_cancel(first.job_id, queue=queue)
    repository.delete(first.job_id)

    late = reserve(reservations)
    assert (late.state, late.job_id) == (SETTLED, first.job_id)
