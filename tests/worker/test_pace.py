from __future__ import annotations

import pytest

from service.jobs.rates import Pace
from worker.pace import MEMORY_S, PaceMeter


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> PaceMeter:
    return PaceMeter(clock)


def pace_of(meter: PaceMeter) -> Pace:
    return meter.pace(models=["demo"], slots=2)


def run(meter: PaceMeter, clock: Clock, *, passes_s: float, tail_s: float, cost_passes: int = 100) -> None:
    """A job with nobody beside it, that tells of its passes twice, and again when it has solved."""
    meter.begin("a", method="fixlip", cost_passes=cost_passes)
    for completed in (300, 600):  # of other passes than it was expected to take
        clock.now_s += passes_s / 2
        meter.report("a", completed, 600)
    clock.now_s += tail_s
    meter.report("a", 600, 600)
    meter.end("a")


def test_nothing_is_known_before_the_first_job(meter: PaceMeter, clock: Clock) -> None:
    clock.now_s += 1000

    assert pace_of(meter) == Pace(models=("demo",), slots=2)


def test_a_jobs_pace_is_that_of_its_passes_and_of_all_of_it(meter: PaceMeter, clock: Clock) -> None:
    run(meter, clock, passes_s=2, tail_s=3)
    pace = pace_of(meter)

    assert pace.passes_per_s == pytest.approx(20, rel=0.05)
    assert pace.device_passes_per_s == pytest.approx(50, rel=0.05)
    assert pace.tail_s == pytest.approx(3)
    assert pace.tail_s_of == {"fixlip": pace.tail_s}


def test_idle_time_changes_nothing(meter: PaceMeter, clock: Clock) -> None:
    run(meter, clock, passes_s=2, tail_s=3)
    before = pace_of(meter)
    clock.now_s += 3600

    assert pace_of(meter) == before


def test_jobs_side_by_side_count_their_time_once(meter: PaceMeter, clock: Clock) -> None:
    for name in "ab":
        meter.begin(name, method="fixlip", cost_passes=100)
    clock.now_s += 4
    for name in "ab":
        meter.report(name, 1, 1)
        meter.end(name)

    assert pace_of(meter).passes_per_s == pytest.approx(50, rel=0.1)


def test_a_job_counts_while_it_runs(meter: PaceMeter, clock: Clock) -> None:
    meter.begin("a", method="fixlip", cost_passes=1000)
    clock.now_s += 4
    meter.report("a", 1, 10)

    assert pace_of(meter).passes_per_s == pytest.approx(25, rel=0.1)
    assert pace_of(meter).tail_s_of == {}


def test_a_job_that_finds_more_to_do_counts_no_pass_twice(meter: PaceMeter, clock: Clock) -> None:
    meter.begin("a", method="fixlip", cost_passes=100)
    for completed, total in ((10, 10), (10, 20), (20, 20)):
        clock.now_s += 1
        meter.report("a", completed, total)

    assert pace_of(meter).passes_per_s == pytest.approx(100 / 3, rel=0.05)


def test_a_job_that_ends_early_tells_nothing_of_what_comes_after_passes(meter: PaceMeter, clock: Clock) -> None:
    meter.begin("a", method="fixlip", cost_passes=100)
    clock.now_s += 2
    meter.report("a", 1, 2)
    meter.end("a")
    meter.end("a")
    meter.report("a", 2, 2)

    assert pace_of(meter).passes_per_s == pytest.approx(25, rel=0.05)
    assert pace_of(meter).tail_s_of == {}


def test_a_moment_is_no_measurement(meter: PaceMeter, clock: Clock) -> None:
    run(meter, clock, passes_s=0.2, tail_s=0.2)

    assert not pace_of(meter).is_known


def test_what_was_long_ago_is_forgotten(meter: PaceMeter, clock: Clock) -> None:
    run(meter, clock, passes_s=10, tail_s=0)
    for _ in range(5):
        run(meter, clock, passes_s=MEMORY_S, tail_s=0, cost_passes=round(MEMORY_S))  # ten times as slow

    assert pace_of(meter).passes_per_s == pytest.approx(1, rel=0.3)


def test_passes_in_no_time_are_no_measurement(meter: PaceMeter, clock: Clock) -> None:
    run(meter, clock, passes_s=0, tail_s=10)

    assert not pace_of(meter).is_known


def test_methods_have_tails_of_their_own(meter: PaceMeter, clock: Clock) -> None:
    for method, tail_s in (("fixlip", 30.0), ("game", 0.5), ("fixlip", 2.0), ("fixlip", 3.0)):
        meter.begin(method, method=method, cost_passes=10)
        clock.now_s += 1
        meter.report(method, 1, 1)
        clock.now_s += tail_s
        meter.end(method)

    assert pace_of(meter).tail_s_of == {"fixlip": 3, "game": 0.5}  # of a cold start, nothing
    assert pace_of(meter).tail_s == 2.5
