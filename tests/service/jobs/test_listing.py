from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from service.jobs.errors import InvalidPageTokenError
from service.jobs.listing import SCANNED_PER_PAGE, JobFilter, JobListing
from service.jobs.records import Job, JobInput, JobModel, JobStatus
from service.jobs.repository import JobRepository

START = datetime(2026, 1, 1, tzinfo=UTC)
ALL = JobFilter()

Add = Callable[..., str]


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


@pytest.fixture
def listing(redis: Redis) -> JobListing:
    return JobListing(redis)


@pytest.fixture
def repository(redis: Redis) -> JobRepository:
    return JobRepository(redis)


@pytest.fixture
def add(repository: JobRepository) -> Add:
    """Adds a job of so many seconds after the start, by default a second after the last; gives its id."""
    number = 0

    def add(*, second: int | None = None, tenant: str = "acme", model: str = "demo", **fields: Any) -> str:
        nonlocal number
        number += 1
        job = Job(
            model=JobModel(id=model, revision="sha256:0"),
            method=fields.pop("method", "fixlip"),
            params={},
            input=JobInput(image_sha256="0" * 64, caption="a circle"),
            created_at=START + timedelta(seconds=number if second is None else second),
            **fields,
        )
        assert repository.create(job, tenant=tenant)
        return job.id

    return add


def pages(listing: JobListing, which: JobFilter, *, size: int, tenant: str = "acme") -> list[list[str]]:
    """Ids of the jobs of every page."""
    found, token = [], None
    while True:
        page = listing.page(tenant, which, size=size, token=token)
        found.append([row.job.id for row in page.rows])
        if (token := page.next_token) is None:
            return found


def test_jobs_are_listed_newest_first(listing: JobListing, add: Add) -> None:
    ids = [add() for _ in range(7)][::-1]

    assert pages(listing, ALL, size=3) == [ids[:3], ids[3:6], ids[6:]]
    assert pages(listing, ALL, size=7) == [ids]
    assert pages(listing, ALL, size=100) == [ids]


def test_a_tenant_without_jobs_has_one_empty_page(listing: JobListing) -> None:
    assert pages(listing, ALL, size=3) == [[]]
    assert pages(listing, JobFilter(model="demo"), size=3) == [[]]


def test_jobs_of_the_same_instant_are_each_listed_once(listing: JobListing, add: Add) -> None:
    ids = {add(second=5) for _ in range(10)}

    listed = [job_id for page in pages(listing, ALL, size=3) for job_id in page]
    assert len(listed) == 10
    assert set(listed) == ids


def test_a_tenant_sees_its_own_jobs_alone(listing: JobListing, add: Add) -> None:
    mine, _ = add(tenant="acme"), add(tenant="other")

    assert pages(listing, ALL, size=5) == [[mine]]


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        (JobFilter(model="b"), [2, 1]),
        (JobFilter(method="m2ib"), [3, 2]),
        (JobFilter(model="b", method="m2ib"), [2]),
        (JobFilter(status=JobStatus.CANCELED), [3]),
        (JobFilter(status=JobStatus.QUEUED, model="a"), [0]),
        (JobFilter(model="c"), []),
    ],
)
def test_filters_leave_those_for_which_all_is_so(
    listing: JobListing, add: Add, which: JobFilter, wanted: list[int]
) -> None:
    ids = [
        add(model="a"),
        add(model="b"),
        add(model="b", method="m2ib"),
        add(model="a", method="m2ib", status=JobStatus.CANCELED),
    ]

    assert pages(listing, which, size=10) == [[ids[number] for number in wanted]]


def test_pages_with_filters_follow_each_other(listing: JobListing, add: Add) -> None:
    ids = [add(model="ab"[number % 2]) for number in range(11)][::-1]
    wanted = ids[::2]

    found = pages(listing, JobFilter(model="a"), size=2)

    assert [job_id for page in found for job_id in page] == wanted
    assert found[:3] == [wanted[:2], wanted[2:4], wanted[4:]]


def test_a_page_with_filters_looks_at_a_bounded_number_of_jobs(listing: JobListing, add: Add) -> None:
    wanted = add(model="rare")
    for _ in range(SCANNED_PER_PAGE + 20):
        add()

    assert pages(listing, JobFilter(model="rare"), size=5) == [[], [wanted]]


def test_jobs_that_come_and_go_move_no_others(listing: JobListing, add: Add, redis: Redis) -> None:
    repository = JobRepository(redis)
    ids = [add(status=JobStatus.CANCELED) for _ in range(6)][::-1]
    first = listing.page("acme", ALL, size=2)
    add(second=100)
    for job_id in (ids[1], ids[3]):  # the one at which the first page ended, and one of the next
        repository.delete(job_id, tenant="acme")

    second = listing.page("acme", ALL, size=2, token=first.next_token)

    assert [row.job.id for row in first.rows] == ids[:2]
    assert [row.job.id for row in second.rows] == [ids[2], ids[4]]


def test_the_size_of_pages_may_change(listing: JobListing, add: Add) -> None:
    ids = [add() for _ in range(6)][::-1]
    token = listing.page("acme", ALL, size=1).next_token

    assert [row.job.id for row in listing.page("acme", ALL, size=4, token=token).rows] == ids[1:5]


def test_a_token_is_good_for_its_own_list_alone(listing: JobListing, add: Add) -> None:
    for _ in range(3):
        add()
    token = listing.page("acme", JobFilter(model="demo"), size=1).next_token
    assert token is not None

    listing.page("acme", JobFilter(model="demo"), size=1, token=token)
    for tenant, which in (("acme", ALL), ("other", JobFilter(model="demo")), ("acme", JobFilter(method="fixlip"))):
        with pytest.raises(InvalidPageTokenError):
            listing.page(tenant, which, size=1, token=token)


@pytest.mark.parametrize("token", ["", "x", "AAAA", "=", "é", "A" * 80, "A" * 100_000, "-", "+"])
def test_what_is_no_token_is_refused(listing: JobListing, token: str) -> None:
    with pytest.raises(InvalidPageTokenError):
        listing.page("acme", ALL, size=1, token=token)


def test_a_token_fits_into_an_address(listing: JobListing, add: Add) -> None:
    add(), add()
    token = listing.page("acme", ALL, size=1).next_token

    assert token is not None
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_record_that_cannot_be_read_is_left_out(
    listing: JobListing, add: Add, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable, gone, readable = add(), add(), add()
    redis.hset(f"fixlip:job:{unreadable}", "status", '"unheard_of"')
    redis.delete(f"fixlip:job:{gone}")

    with caplog.at_level(logging.WARNING):
        assert pages(listing, ALL, size=10) == [[readable]]
        assert pages(listing, JobFilter(model="demo"), size=10) == [[readable]]
    assert unreadable in caplog.text


def test_a_page_reads_each_job_once(listing: JobListing, add: Add, redis: Redis) -> None:
    for _ in range(120):
        add()

    def commands() -> int:
        return int(redis.info("stats")["total_commands_processed"])

    before = commands()
    listing.page("acme", ALL, size=100)

    assert commands() - before == 1 + 1 + 100  # the question itself, the set, the rows


def test_waiting_jobs_are_counted(listing: JobListing, add: Add, repository: JobRepository) -> None:
    first, _ = add(), add()
    add(tenant="other")
    add(status=JobStatus.CANCELED)
    assert listing.queued_jobs("acme") == 2

    claim = repository.claim(first, "w1", ttl_s=60)
    assert claim is not None
    assert listing.queued_jobs("acme") == 1
    assert repository.retry_later(claim.lease, delay_s=60)
    assert listing.queued_jobs("acme") == 2
    assert (listing.queued_jobs("other"), listing.queued_jobs("nobody")) == (1, 0)
