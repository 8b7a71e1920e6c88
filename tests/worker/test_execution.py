from __future__ import annotations

import time

import pytest

from service.jobs.leases import Claim, Lease
from service.jobs.records import Job, JobInput, JobMetrics, JobModel
from tests.support.fake_encoder import CARD
from worker.execution import Execution, Executions, StoppedError, Verdict
from worker.pace import PaceMeter


def an_execution(*, time_limit_s: float = 60, meter: PaceMeter | None = None, cost_passes: int = 0) -> Execution:
    job = Job(
        model=JobModel(id=CARD.id, revision=CARD.revision),
        method="fixlip",
        params={},
        input=JobInput(image_sha256="0" * 64, caption="a red circle"),
        metrics=JobMetrics(queue_s=3.0),
        attempt=2,
    )
    claim = Claim(job, Lease(job.id, 2, "w/1"), suspect=False, retries=1, cost_passes=cost_passes)
    return Execution(claim, time_limit_s=time_limit_s, meter=meter)


def test_without_a_verdict_it_goes_on() -> None:
    run = an_execution()
    run.check()
    run.report(3, 8)
    assert run.progress == (3, 8)
    assert run.verdict is None
    assert run.ignored_for_s == 0


def test_it_says_how_fast_it_goes() -> None:
    now_s = iter(range(0, 1000, 10))
    meter = PaceMeter(lambda: next(now_s))
    run = an_execution(meter=meter, cost_passes=100)
    run.begin()
    run.report(4, 8)
    run.report(8, 8)
    run.finish()
    pace = meter.pace(models=[CARD.id], slots=1)

    assert pace.device_passes_per_s == pytest.approx(5, rel=0.1)
    assert pace.tail_s_of == {"fixlip": 10}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_ends_it_at_the_next_check(verdict: Verdict) -> None:
    run = an_execution()
    run.decide(verdict)
    for act in (run.check, lambda: run.report(1, 8)):
        with pytest.raises(StoppedError, match=f"{run.job.id} was {verdict}"):
            act()


def test_the_first_verdict_stands() -> None:
    run = an_execution()
    run.decide(Verdict.CANCELED)
    run.decide(Verdict.LOST)
    assert run.verdict is Verdict.CANCELED


def test_the_clock_runs_from_the_beginning_of_the_work_to_its_end() -> None:
    run = an_execution(time_limit_s=0.01)
    time.sleep(0.02)
    assert not run.is_overdue
    run.begin()
    assert not run.is_overdue
    time.sleep(0.02)
    assert run.is_overdue
    assert not run.is_over
    run.finish()
    assert not run.is_overdue
    assert run.is_over


def test_it_knows_for_how_long_work_goes_on_against_its_verdict() -> None:
    run = an_execution()
    run.decide(Verdict.CANCELED)
    time.sleep(0.02)
    assert run.ignored_for_s == 0, "it has not begun"
    run.begin()
    assert 0.02 <= run.ignored_for_s < 5
    run.finish()
    assert run.ignored_for_s == 0


def test_its_cost_is_added_to_what_is_known() -> None:
    run = an_execution()
    time.sleep(0.01)
    metrics = run.metrics(forward_passes=7)
    assert (metrics.queue_s, metrics.forward_passes) == (3.0, 7)
    assert 0.01 <= (metrics.run_s or 0) < 5


def test_those_of_a_process() -> None:
    first, second = an_execution(), an_execution()
    executions = Executions()
    executions.add(first)
    executions.add(second)
    assert executions.all() == [first, second]
    executions.discard(first)
    executions.discard(first)
    assert executions.all() == [second]
