from __future__ import annotations

import os
import signal
import time

import pytest

from worker.stopping import BROKEN, Stop


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


def test_further_requests_put_nothing_off() -> None:
    stop = Stop(0)
    stop.request()
    time.sleep(0.02)
    stop.request()
    stop.give_up()
    assert stop.overdue_for_s >= 0.02


def test_without_grace_the_first_is_enough() -> None:
    stop = Stop(0)
    stop.request()
    assert stop.overdue


def test_a_broken_process_stops_at_once_and_says_so() -> None:
    stop = Stop(60)
    assert stop.exit_status == 0
    stop.give_up()
    assert stop.requested
    assert stop.overdue
    assert stop.exit_status == BROKEN


def test_it_knows_for_how_long_jobs_are_overdue() -> None:
    stop = Stop(60)
    assert stop.overdue_for_s < -1e9
    stop.request()
    assert -60 <= stop.overdue_for_s < -50
    stop.request()
    assert 0 <= stop.overdue_for_s < 5


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
