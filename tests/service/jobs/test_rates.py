from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from redis import Redis

from service.jobs.catalogue import Catalogue
from service.jobs.rates import Pace, Rates

KNOWN = Pace(models=("demo",), slots=2, passes_per_s=10, device_passes_per_s=20, tail_s=0.5, tail_s_of={"fixlip": 0.5})
NEW = Pace(models=("demo", "large"), slots=4)


@pytest.fixture
def rates(redis: Redis) -> Rates:
    return Rates(redis)


@pytest.fixture
def say(catalogue: Catalogue, rates: Rates) -> Callable[..., None]:
    """Does what a worker does with every sign of life."""

    def say(worker_id: str, pace: Pace, *, ttl_s: float = 60) -> None:
        catalogue.announce({"id": "demo"}, worker_id, ttl_s=ttl_s)
        rates.report(worker_id, pace, ttl_s=ttl_s)

    return say


def test_live_workers_have_paces(rates: Rates, say: Callable[..., None]) -> None:
    assert rates.live(now=time.time()) == []
    say("w1", KNOWN)

    assert rates.live(now=time.time()) == [KNOWN]


def test_a_worker_that_has_gone_or_is_silent_has_none(
    rates: Rates, say: Callable[..., None], catalogue: Catalogue
) -> None:
    say("w1", KNOWN)
    say("w2", KNOWN, ttl_s=0.05)
    catalogue.withdraw("w1")
    time.sleep(0.1)

    assert rates.live(now=time.time()) == []


def test_who_has_not_worked_yet_is_taken_to_be_like_the_last_who_has(
    rates: Rates, say: Callable[..., None], catalogue: Catalogue
) -> None:
    say("new", NEW)
    assert rates.live(now=time.time()) == [NEW]

    say("old", KNOWN)
    catalogue.withdraw("old")

    assert rates.live(now=time.time()) == [
        Pace(models=NEW.models, slots=4, passes_per_s=10, device_passes_per_s=20, tail_s=0.5, tail_s_of={"fixlip": 0.5})
    ]


def test_fields_of_other_versions_are_left_alone(rates: Rates, say: Callable[..., None], redis: Redis) -> None:
    say("w1", KNOWN)
    redis.set("fixlip:pace:w1", KNOWN.model_dump_json()[:-1] + ',"colour":"blue"}')

    assert rates.live(now=time.time()) == [KNOWN]


def test_a_pace_that_cannot_be_read_is_left_out(rates: Rates, say: Callable[..., None], redis: Redis) -> None:
    say("w1", KNOWN)
    say("w2", KNOWN)
    for key in ("fixlip:pace:w2", "fixlip:last_pace"):
        redis.set(key, b'{"slots": "of another version"}')

    assert rates.live(now=time.time()) == [KNOWN]
