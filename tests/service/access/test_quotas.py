from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from redis import Redis

from service.access.allowances import Allowance, AllowanceBook
from service.access.principal import Principal, Scope
from service.access.quotas import Quotas, Usage
from service.jobs.connection import connect
from service.problems import ProblemError

WHO = Principal("acme", frozenset(Scope))


@dataclass
class Books:
    """What the jobs' own books say."""

    queued: dict[str, int] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return connect(redis_url, timeout_s=5)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def make(redis: Redis, books: Books) -> Callable[..., Quotas]:
    def make(**limits: int) -> Quotas:
        nothing = dict.fromkeys(Allowance.model_fields, 0)
        return Quotas(
            redis,
            "fixlip",
            allowances=AllowanceBook(redis, "fixlip", defaults=Allowance(**nothing | limits)),
            queued_jobs=lambda tenant: books.queued.get(tenant, 0),
            stored_bytes=lambda tenant: books.stored.get(tenant, 0),
        )

    return make


def refusal(act: Callable[[], object]) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        act()
    error = caught.value
    assert (error.status, error.code) == (429, "quota_exceeded")
    assert int(error.headers["Retry-After"]) > 0
    return error


def quota_of(error: ProblemError) -> str:
    (entry,) = error.errors
    assert entry.message == error.detail
    return entry.field


def test_without_quotas_nothing_is_counted(make: Callable[..., Quotas], redis: Redis) -> None:
    quotas = make()
    assert asyncio.run(quotas.count_request("acme")) is None
    quotas.check_submission(WHO, passes=10**9, bytes=10**12)
    quotas.charge_submission(WHO, 10**9)
    quotas.refund(WHO, 10**9)

    assert redis.keys() == []


def test_requests_are_counted_until_there_are_none_left(make: Callable[..., Quotas]) -> None:
    quotas = make(requests_per_min=2)
    left = [asyncio.run(quotas.count_request("acme")) for _ in range(2)]

    assert [standing and standing.remaining for standing in left] == [1, 0]
    error = refusal(lambda: asyncio.run(quotas.count_request("acme")))
    assert quota_of(error) == "requests_per_min"
    assert 50 <= int(error.headers["Retry-After"]) <= 60
    assert error.headers["RateLimit-Policy"] == '"requests_per_min";q=2;w=60'
    assert error.headers["RateLimit"] == f'"requests_per_min";r=0;t={error.headers["Retry-After"]}'
    assert asyncio.run(quotas.count_request("another")) is not None


def test_passes_are_charged_until_there_are_too_few(make: Callable[..., Quotas]) -> None:
    quotas = make(passes_per_day=1000)
    quotas.check_submission(WHO, passes=1000, bytes=0)
    quotas.charge_submission(WHO, 600)

    for act in (
        lambda: quotas.check_submission(WHO, passes=500, bytes=0),
        lambda: quotas.charge_submission(WHO, 500),
    ):
        error = refusal(act)
        assert quota_of(error) == "passes_per_day"
        assert "500" in error.detail
        assert error.headers["RateLimit"].startswith('"passes_per_day";r=400;t=')
    quotas.check_submission(WHO, passes=400, bytes=0)


def test_a_check_charges_nothing(make: Callable[..., Quotas]) -> None:
    quotas = make(passes_per_day=1000)
    for _ in range(5):
        quotas.check_submission(WHO, passes=1000, bytes=0)


def test_what_takes_no_passes_needs_none_to_be_left(make: Callable[..., Quotas]) -> None:
    make(passes_per_day=1000).charge_submission(WHO, 1000)
    lowered = make(passes_per_day=500)

    lowered.check_submission(WHO, passes=0, bytes=10)
    refusal(lambda: lowered.check_submission(WHO, passes=1, bytes=10))


def test_what_was_charged_for_a_job_that_was_not_made_is_given_back(make: Callable[..., Quotas]) -> None:
    quotas = make(passes_per_day=1000)
    quotas.charge_submission(WHO, 1000)
    quotas.refund(WHO, 1000)

    quotas.check_submission(WHO, passes=1000, bytes=0)


def test_waiting_jobs_have_a_limit(make: Callable[..., Quotas], books: Books) -> None:
    quotas = make(queued_jobs=3)
    books.queued = {"acme": 2, "another": 9}
    quotas.check_submission(WHO, passes=1, bytes=0)
    books.queued["acme"] = 3

    assert quota_of(refusal(lambda: quotas.check_submission(WHO, passes=1, bytes=0))) == "queued_jobs"
    quotas.check_submission(WHO, passes=0, bytes=0)  # one that is answered at once does not wait


def test_stored_bytes_have_a_limit(make: Callable[..., Quotas], books: Books) -> None:
    quotas = make(stored_bytes=1000)
    books.stored = {"acme": 900, "another": 5000}
    quotas.check_submission(WHO, passes=1, bytes=100)

    assert quota_of(refusal(lambda: quotas.check_submission(WHO, passes=1, bytes=101))) == "stored_bytes"


def test_the_usage_of_every_quota_is_told(make: Callable[..., Quotas], books: Books) -> None:
    books.queued, books.stored = {"acme": 2}, {"acme": 900}
    quotas = make(passes_per_day=1000, queued_jobs=5)
    quotas.charge_submission(WHO, 300)

    requests, queued, passes, stored = quotas.usage("acme")

    assert requests == Usage("requests_per_min", None, None, 60)
    assert queued == Usage("queued_jobs", 5, 2)
    assert (passes.name, passes.limit, passes.used, passes.window_s) == ("passes_per_day", 1000, 300, 86_400)
    assert passes.resets_in_s == pytest.approx(86_400, abs=5)
    assert stored == Usage("stored_bytes", None, 900)
