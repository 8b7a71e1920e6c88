from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from service.jobs._rows import Books, Row
from service.jobs.catalogue import Catalogue
from service.jobs.estimates import UNKNOWN, Estimator, Running, Traffic
from service.jobs.queue import JobQueue
from service.jobs.rates import Pace, Rates
from service.jobs.records import Job, JobProgress, JobStatus, new_job_id
from service.jobs.repository import JobRepository

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ONE_SLOT = Pace(
    models=("demo",), slots=1, passes_per_s=10, device_passes_per_s=20, tail_s=0.5, tail_s_of={"fixlip": 0.5}
)


def traffic(paces: Sequence[Pace] = (ONE_SLOT,), **fields: Any) -> Traffic:
    return Traffic(paces=paces, **fields)


def start_s(traffic: Traffic, row: Row) -> float | None:
    start = traffic.estimate(row, now=NOW).start
    return None if start is None else (start - NOW).total_seconds()


@pytest.fixture
def waiting(job: Job) -> Callable[..., Row]:
    """A job that waits."""

    def make(place: int | None = 0, *, cost_passes: int = 100, **fields: Any) -> Row:
        return Row(job.model_copy(update=fields), Books(cost_passes=cost_passes, place=place, entry="x"))

    return make


def test_a_job_with_nothing_before_it_begins_now(waiting: Callable[..., Row]) -> None:
    free = traffic(queued=1, queued_passes=100, next_place=100)

    assert start_s(free, waiting()) == 0
    assert free.estimate(waiting(), now=NOW).duration_s == 100 / 20 + 0.5


def test_with_one_slot_a_job_waits_for_all_that_is_before_it(waiting: Callable[..., Row]) -> None:
    busy = traffic(running=[Running("demo", 30)], queued=3, queued_passes=300, next_place=300)

    assert [start_s(busy, waiting(place)) for place in (0, 100, 200)] == [2, 7.5, 13]


def test_jobs_that_begin_at_once_end_at_once(waiting: Callable[..., Row]) -> None:
    """Of four slots whose jobs began together, all are free when these have ended."""
    pace = Pace(models=("demo",), slots=4, passes_per_s=10, device_passes_per_s=10)
    running = [Running("demo", 100)] * 4
    busy = traffic([pace], running=running, queued=8, queued_passes=800, next_place=800)

    assert [start_s(busy, waiting(100 * i)) for i in range(8)] == [40, 40, 40, 40, 80, 80, 80, 80]


def test_jobs_that_began_one_after_another_make_room_one_after_another(waiting: Callable[..., Row]) -> None:
    pace = Pace(models=("demo",), slots=2, passes_per_s=10, device_passes_per_s=10)
    running = [Running("demo", 100), Running("demo", 50)]
    busy = traffic([pace], running=running, queued=4, queued_passes=400, next_place=400)

    assert [start_s(busy, waiting(100 * i)) for i in range(4)] == [10, 20, 30, 40]


def test_what_comes_after_passes_is_done_beside_other_jobs_passes(waiting: Callable[..., Row]) -> None:
    """With enough slots the device never waits; with few, it does while jobs are solved and drawn."""

    def jobs_per_s(slots: int) -> float:
        pace = Pace(models=("demo",), slots=slots, passes_per_s=1, device_passes_per_s=100, tail_s=3)
        running = [Running("demo", 100)] * slots
        busy = traffic([pace], running=running, queued=200, queued_passes=20_000, next_place=20_000)
        return 200 / (start_s(busy, waiting(20_000)) or 0)

    rates = [jobs_per_s(slots) for slots in (1, 2, 4, 16)]
    assert rates == pytest.approx([1 / 4, 0.47, 0.79, 1], rel=0.05)


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_a_long_queue_takes_as_long_as_its_passes(waiting: Callable[..., Row], slots: int) -> None:
    """However unequal the jobs, and however they share the workers."""
    draw = random.Random(7)
    costs = [draw.choice((64, 256, 512, 1024)) for _ in range(200)]
    places = [sum(costs[:i]) for i in range(200)]
    pace = Pace(models=("demo",), slots=slots, passes_per_s=100, device_passes_per_s=100)
    running = [Running("demo", 400 * (i + 1) / slots) for i in range(slots)]
    busy = traffic([pace, pace], running=running * 2, queued=200, queued_passes=sum(costs), next_place=sum(costs))

    for place, cost_passes in list(zip(places, costs, strict=True))[50:]:
        assert start_s(busy, waiting(place, cost_passes=cost_passes)) == pytest.approx(place / 200, rel=0.1)


def test_what_waits_is_counted_from_the_first_that_waits(waiting: Callable[..., Row]) -> None:
    later = traffic(queued=2, queued_passes=200, first_place=5000, next_place=5200)

    assert start_s(later, waiting(5100)) == 5.5


def test_gaps_of_canceled_jobs_do_not_count(waiting: Callable[..., Row]) -> None:
    gappy = traffic(queued=2, queued_passes=200, first_place=0, next_place=9000)

    assert start_s(gappy, waiting(8900)) == 5.5


def test_a_job_that_came_after_the_look_waits_for_those_that_came_before_it(waiting: Callable[..., Row]) -> None:
    old = traffic(queued=2, queued_passes=200, first_place=0, next_place=200)

    assert start_s(old, waiting(200)) == 11
    assert start_s(old, waiting(400)) == 22
    assert start_s(old, waiting(None)) == 5.5  # whose place is not known is taken to be the last of the look


def test_nothing_is_said_where_nothing_is_known(waiting: Callable[..., Row], job: Job) -> None:
    other = Pace(models=("large",), slots=1, passes_per_s=10, device_passes_per_s=20)
    unmeasured = Pace(models=("demo",), slots=1)
    for paces in ([], [other], [unmeasured]):
        assert traffic(paces).estimate(waiting(), now=NOW) == UNKNOWN

    put_off = Row(job, Books(cost_passes=100, entry=None))
    assert traffic().estimate(put_off, now=NOW) == UNKNOWN


@pytest.mark.parametrize("status", [status for status in JobStatus if status.is_terminal])
def test_nothing_is_said_of_a_job_that_has_ended(waiting: Callable[..., Row], status: JobStatus) -> None:
    assert traffic().estimate(waiting(status=status), now=NOW) == UNKNOWN


def test_nothing_is_said_of_a_job_that_is_being_canceled(waiting: Callable[..., Row]) -> None:
    row = waiting(status=JobStatus.RUNNING, started_at=NOW, cancel_requested_at=NOW)

    assert traffic().estimate(row, now=NOW) == UNKNOWN


def test_of_a_running_job_the_duration_is_what_it_took_and_what_is_left(waiting: Callable[..., Row]) -> None:
    running = traffic(running=[Running("demo", 25)])
    row = waiting(
        status=JobStatus.RUNNING,
        started_at=NOW - timedelta(seconds=60),
        progress=JobProgress(completed=750, total=1000),
    )
    estimate = running.estimate(row, now=NOW)

    assert estimate.start is None
    assert estimate.end_in_s == 25 / 20 + 0.5
    assert estimate.duration_s == 60 + 25 / 20 + 0.5


def test_jobs_beside_each_other_share_a_device_and_those_on_others_do_not(waiting: Callable[..., Row]) -> None:
    pace = Pace(models=("demo",), slots=4, passes_per_s=10, device_passes_per_s=10)

    def duration_s(workers: int, jobs: int) -> float | None:
        beside = [Running("demo", 1e9)] * (jobs - 1)
        busy = traffic([pace] * workers, running=beside, queued=1, queued_passes=100, next_place=100)
        return busy.estimate(waiting(), now=NOW).duration_s

    assert [duration_s(1, jobs) for jobs in (1, 2, 4)] == [10, 20, 40]
    assert [duration_s(4, jobs) for jobs in (1, 4, 8, 16)] == [10, 10, 20, 40]


def test_a_method_that_was_not_seen_is_taken_to_be_like_the_others(waiting: Callable[..., Row]) -> None:
    assert traffic().estimate(waiting(method="game"), now=NOW).duration_s == 100 / 20 + 0.5


def test_workers_of_other_models_help_nobody(waiting: Callable[..., Row]) -> None:
    other = Pace(models=("large",), slots=9, passes_per_s=1000, device_passes_per_s=1000)
    mixed = traffic([ONE_SLOT, other], running=[Running("demo", 100), Running("large", 9)], queued=1, queued_passes=100)

    assert start_s(mixed, waiting()) == 5.5


@pytest.mark.parametrize(("end_in_s", "poll_after_s"), [(None, 1), (0, 1), (4, 1), (20, 5), (40, 10), (4000, 10)])
def test_who_is_far_from_the_end_is_asked_for_seldom(
    waiting: Callable[..., Row], end_in_s: float | None, poll_after_s: int
) -> None:
    pace = Pace(models=("demo",), slots=1, passes_per_s=10, device_passes_per_s=10)
    ahead = traffic([pace] if end_in_s is not None else [], running=[Running("demo", 10 * (end_in_s or 0))])

    assert ahead.estimate(waiting(cost_passes=1), now=NOW).poll_after_s == poll_after_s


class TestEstimator:
    @pytest.fixture
    def estimator(self, redis: Redis, catalogue: Catalogue) -> Estimator:
        catalogue.announce({"id": "demo"}, "w", ttl_s=60)
        Rates(redis).report("w", ONE_SLOT, ttl_s=60)
        return Estimator(redis)

    @pytest.fixture
    def jobs(self, repository: JobRepository, queue: JobQueue, job: Job) -> list[Job]:
        made = [job.model_copy(update={"id": new_job_id()}) for _ in range(4)]
        for one in made:
            repository.create(one, queue=queue, cost_passes=100)
        return made

    def test_it_sees_the_queue_and_the_workers(
        self, estimator: Estimator, repository: JobRepository, jobs: list[Job]
    ) -> None:
        claim = repository.claim(jobs[0].id, "w/1", ttl_s=60)
        assert claim is not None
        repository.renew([claim.lease], ttl_s=60, progress={claim.lease: JobProgress(completed=3, total=4)})

        assert estimator.traffic() == Traffic(
            paces=[ONE_SLOT],
            running=[Running("demo", 25)],
            queued=3,
            queued_passes=300,
            first_place=100,
            next_place=400,
        )
        starts = [estimator.of(repository.row(job.id)).start for job in jobs]
        assert starts[0] is None
        assert [round((start - starts[1]).total_seconds()) for start in starts[1:] if start and starts[1]] == [
            0,
            6,
            11,
        ]

    def test_a_running_job_that_cannot_be_read_is_left_out(
        self, estimator: Estimator, repository: JobRepository, jobs: list[Job], redis: Redis
    ) -> None:
        for job in jobs[:3]:
            assert repository.claim(job.id, "w/1", ttl_s=60)
        redis.hset(f"fixlip:job:{jobs[0].id}", "progress", b'{"of_another_version": 1}')
        redis.hset(f"fixlip:job:{jobs[1].id}", "model", b"no JSON")

        assert estimator.traffic().running == [Running("demo", 100)]

    def test_it_counts_jobs_that_are_put_off(
        self, estimator: Estimator, repository: JobRepository, jobs: list[Job]
    ) -> None:
        repository.put_off(jobs[0].id, delay_s=60)

        assert (estimator.traffic().queued, estimator.traffic().queued_passes) == (4, 400)
        assert estimator.of(repository.row(jobs[0].id)) == UNKNOWN

    def test_it_looks_once_a_second(self, estimator: Estimator, repository: JobRepository, redis: Redis) -> None:
        first = estimator.traffic()
        redis.flushall()

        assert estimator.traffic() is first
        assert estimator.queued_passes() == 0

    def test_a_full_queue_is_worth_another_try_when_it_has_been_worked_off(self, estimator: Estimator) -> None:
        assert [estimator.retry_after_s(passes) for passes in (1, 100, 10**9)] == [1, 10, 600]

    def test_without_workers_nobody_knows_when(self, redis: Redis) -> None:
        assert Estimator(redis).retry_after_s(100) == 30
