from __future__ import annotations

import os
import signal

import pytest

from worker.stopping import Stop


def test_first_request_leaves_time_for_the_job_at_hand() -> None:
    stop = Stop(60)
    assert not stop.requested
    stop.request()
    assert stop.requested
    assert not stop.overdue


def test_second_request_leaves_none() -> None:
    stop = Stop(60)
    stop.request()
    stop.request()
    assert stop.overdue


def test_without_grace_the_first_is_enough() -> None:
    stop = Stop(0)
    stop.request()
    assert stop.overdue


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_requests(number: signal.Signals) -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    stop = Stop(60)
    try:
        stop.listen()
        os.kill(os.getpid(), number)
        assert stop.requested
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
