from __future__ import annotations

import threading

import pytest
from redis import ConnectionError as RedisConnectionError

from worker.periodic import Periodic


@pytest.mark.parametrize("error", [RedisConnectionError("away"), ZeroDivisionError("a bug")])
def test_an_act_that_fails_stops_neither_itself_nor_the_others(error: Exception) -> None:
    failures = threading.Semaphore(0)
    beats = threading.Semaphore(0)

    def fail() -> None:
        failures.release()
        raise error

    with Periodic("a test", fail, beats.release, period_s=0.01):
        for _ in range(3):
            assert failures.acquire(timeout=5)
            assert beats.acquire(timeout=5)


def test_leaving_the_block_ends_it_at_once() -> None:
    calls: list[None] = []
    with Periodic("a test", lambda: calls.append(None), period_s=3600):
        pass
    assert len(calls) <= 1
    assert not [thread for thread in threading.enumerate() if thread.name == "a test"]
