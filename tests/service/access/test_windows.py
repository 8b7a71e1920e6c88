from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import Redis, RedisError

from service.access.windows import Window, counters
from service.jobs._keys import text
from service.jobs.connection import connect
from tests.support.processes import wait_until
from tests.support.redis_group import PASSWORD, RedisGroup


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return connect(redis_url, timeout_s=5)


@pytest.fixture
def window(redis: Redis) -> Window:
    return Window("passes", 86_400, counters(redis, "fixlip"))


def took(window: Window, tenant: str, limit: int, amount: int = 1) -> bool:
    """Whether so much could be taken."""
    taken, standing = window.take(tenant, limit, amount)
    assert standing.remaining <= limit
    return taken


def test_no_more_is_taken_than_there_is(window: Window) -> None:
    assert took(window, "a", 100, 60)
    assert window.has("a", 100, 40)
    assert not window.has("a", 100, 41)
    assert not took(window, "a", 100, 41)
    assert took(window, "a", 100, 40)
    assert not took(window, "a", 100, 1)


def test_what_is_refused_is_not_charged(window: Window) -> None:
    window.take("a", 100, 60)
    for _ in range(10):
        assert not took(window, "a", 100, 50)

    assert window.standing("a", 100).remaining == 40


def test_each_tenant_has_its_own(window: Window) -> None:
    window.take("a", 100, 100)

    assert took(window, "b", 100, 100)


def test_each_quota_has_its_own(redis: Redis, window: Window) -> None:
    window.take("a", 100, 100)

    assert took(Window("other", 86_400, counters(redis, "fixlip")), "a", 100, 100)


def test_what_is_given_back_can_be_taken_again(window: Window) -> None:
    window.take("a", 100, 100)
    window.give_back("a", 30)

    assert window.standing("a", 100).remaining == 30


def test_what_was_taken_in_a_window_that_has_ended_is_not_given_back_to_the_next(window: Window) -> None:
    window.give_back("a", 30)

    assert window.standing("a", 100).remaining == 100


def test_it_says_where_a_tenant_stands(redis: Redis) -> None:
    window = Window("requests", 60, counters(redis, "fixlip"))
    before = window.standing("a", 5)
    window.take("a", 5)
    after = window.standing("a", 5)

    assert (before.quota, before.limit, before.window_s, before.remaining, before.resets_in_s) == (
        "requests",
        5,
        60,
        5,
        60,
    )
    assert after.remaining == 4
    assert 55 <= after.resets_in_s <= 60


def test_the_next_window_has_all_of_it(redis: Redis) -> None:
    window = Window("requests", 1, counters(redis, "fixlip"))
    assert took(window, "a", 1)
    assert not took(window, "a", 1)
    while window.standing("a", 1).remaining == 0:
        pass

    assert took(window, "a", 1)


def test_many_at_once_get_no_more_than_there_is(window: Window) -> None:
    with ThreadPoolExecutor(16) as pool:
        taken = sum(pool.map(lambda _: took(window, "a", 1000, 10), range(300)))

    assert taken <= 100
    assert window.standing("a", 1000).remaining == 1000 - 10 * taken


def test_a_changed_limit_holds_at_once(window: Window) -> None:
    window.take("a", 100, 60)

    assert window.standing("a", 50).remaining == 0
    assert not took(window, "a", 50, 1)
    assert took(window, "a", 200, 140)


def test_counting_costs_one_command(redis: Redis, window: Window) -> None:
    window.take("a", 1000)
    before = redis.info("stats")["total_commands_processed"]
    for _ in range(10):
        window.take("a", 1000)

    # Of a script, each of its commands counts, beside itself.
    assert redis.info("stats")["total_commands_processed"] - before <= 2 * 10 + 1


def test_its_keys_have_the_services_prefix_and_go_by_themselves(redis: Redis, window: Window) -> None:
    window.take("a", 100)

    (key,) = redis.scan_iter()
    assert text(key).startswith("fixlip:used:")
    assert 0 < redis.ttl(key) <= 86_400


@pytest.mark.slow
def test_it_goes_on_with_the_next_master(tmp_path: Path) -> None:
    with RedisGroup(tmp_path) as group:
        url = f"redis+sentinel://:{quote(PASSWORD, safe='')}@127.0.0.1:{group.sentinel}/0?master=main"
        with connect(url, timeout_s=1) as redis:
            window = Window("passes", 86_400, counters(redis, "fixlip"))
            assert took(window, "a", 100, 60)
            redis.wait(1, 5000)
            group.kill(group.master)

            def stands_again() -> bool:
                try:
                    return window.standing("a", 100).remaining == 40 and took(window, "a", 100, 40)
                except RedisError:
                    return False

            wait_until(stands_again)
            assert not took(window, "a", 100, 1)
