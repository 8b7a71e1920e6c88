from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from tests.support.processes import wait_until
from worker.gate import Gate


def no_check() -> None:
    """Nothing ends the wait."""


class Enough(Exception):
    pass


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def enter(pool: ThreadPoolExecutor, way: AbstractContextManager[None], leave: threading.Event) -> Future[None]:
    def stay() -> None:
        with way:
            assert leave.wait(10)

    return pool.submit(stay)


def test_any_number_passes_together(gate: Gate, pool: ThreadPoolExecutor) -> None:
    everyone = threading.Barrier(4)

    def meet() -> int:
        with gate.together(no_check):
            return everyone.wait(10)

    assert {meeting.result() for meeting in [pool.submit(meet) for _ in range(4)]} == {0, 1, 2, 3}
    assert gate.is_open


def test_alone_is_after_those_inside_and_before_newcomers(gate: Gate, pool: ThreadPoolExecutor) -> None:
    order: list[str] = []
    leave = threading.Event()
    inside = enter(pool, gate.together(no_check), leave)

    def be_alone() -> None:
        with gate.alone(no_check):
            order.append("alone")
            assert inside.done()

    def come_later() -> None:
        with gate.together(no_check):
            order.append("newcomer")

    alone = pool.submit(be_alone)
    wait_until(lambda: not gate.is_open)
    newcomer = pool.submit(come_later)
    assert order == []
    leave.set()
    for one in (inside, alone, newcomer):
        one.result(10)
    assert order == ["alone", "newcomer"]
    assert gate.is_open


def test_those_who_want_to_be_alone_are_so_one_by_one(gate: Gate, pool: ThreadPoolExecutor) -> None:
    inside = 0
    most = 0

    def be_alone() -> None:
        nonlocal inside, most
        with gate.alone(no_check):
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.01)
            inside -= 1

    for one in [pool.submit(be_alone) for _ in range(6)]:
        one.result(10)
    assert most == 1


def test_who_gives_up_waiting_to_be_alone_lets_the_others_in(gate: Gate, pool: ThreadPoolExecutor) -> None:
    leave = threading.Event()
    inside = enter(pool, gate.together(no_check), leave)
    wait_until(inside.running)

    def enough() -> None:
        raise Enough

    with pytest.raises(Enough), gate.alone(enough):
        pytest.fail("it was not alone")
    assert gate.is_open
    with gate.together(no_check):
        leave.set()
    inside.result(10)


def test_who_gives_up_waiting_for_the_one_alone_leaves_no_trace(gate: Gate) -> None:
    def enough() -> None:
        raise Enough

    with gate.alone(no_check):
        with pytest.raises(Enough), gate.together(enough):
            pytest.fail("it came in")
        with pytest.raises(Enough), gate.alone(enough):
            pytest.fail("it came in")
    with gate.alone(no_check):
        assert not gate.is_open


def test_errors_inside_open_the_gate_again(gate: Gate) -> None:
    for way in (gate.together, gate.alone):
        with pytest.raises(Enough), way(no_check):
            raise Enough
        assert gate.is_open
