from __future__ import annotations

import pytest
from pydantic import ValidationError
from redis import Redis

from service.access.allowances import Allowance, AllowanceBook

DEFAULTS = Allowance(requests_per_min=60, queued_jobs=0, passes_per_day=1000, stored_bytes=0)


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


@pytest.fixture
def book(redis: Redis) -> AllowanceBook:
    return AllowanceBook(redis, "fixlip", defaults=DEFAULTS)


def test_a_tenant_of_whom_nothing_is_said_has_the_defaults(book: AllowanceBook) -> None:
    assert book.of("a") == DEFAULTS


def test_what_is_said_of_a_tenant_is_its_own(book: AllowanceBook) -> None:
    book.say("a", Allowance(requests_per_min=0, queued_jobs=5))

    assert book.of("a") == Allowance(requests_per_min=0, queued_jobs=5, passes_per_day=1000, stored_bytes=0)
    assert book.of("b") == DEFAULTS
    assert book.said_of("a") == Allowance(requests_per_min=0, queued_jobs=5)


def test_a_tenant_can_have_the_defaults_again(book: AllowanceBook, redis: Redis) -> None:
    book.say("a", Allowance(queued_jobs=5))
    book.say("a", Allowance())

    assert book.of("a") == DEFAULTS
    assert redis.keys() == []


def test_what_was_asked_a_moment_ago_is_remembered(book: AllowanceBook) -> None:
    assert book.recall("a") is None
    book.of("a")
    book.say("a", Allowance(queued_jobs=5))

    assert book.recall("a") == book.of("a") == DEFAULTS


def test_less_than_nothing_is_no_quota() -> None:
    with pytest.raises(ValidationError):
        Allowance(queued_jobs=-1)
