from __future__ import annotations

import pytest

from service.jobs.records import JobStatus
from tests.support.jobs import submit
from worker.execution import Execution, Verdict
from worker.runtime import Runtime
from worker.settling import settle


@pytest.fixture
def run(runtime: Runtime) -> Execution:
    """A job that runs."""
    job = submit(runtime.repository, runtime.bundles)
    claim = runtime.repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    return Execution(claim, time_limit_s=7)


def status(runtime: Runtime, run: Execution) -> JobStatus:
    return runtime.repository.get(run.job.id).status


def test_without_a_verdict_nothing_is_said(runtime: Runtime, run: Execution) -> None:
    settle(run, runtime.repository, runtime.queue)
    assert status(runtime, run) is JobStatus.RUNNING
    assert not run.is_settled


def test_a_canceled_job_is_canceled(runtime: Runtime, run: Execution) -> None:
    runtime.repository.request_cancel(run.job.id, queue=runtime.queue)
    run.decide(Verdict.CANCELED)
    settle(run, runtime.repository, runtime.queue)
    job = runtime.repository.get(run.job.id)
    assert job.status is JobStatus.CANCELED
    assert job.completed_at is not None
    assert job.metrics.run_s is not None


def test_an_overdue_job_fails_and_says_how_far_it_came(runtime: Runtime, run: Execution) -> None:
    run.report(12, 64)
    run.decide(Verdict.OVERDUE)
    settle(run, runtime.repository, runtime.queue)
    job = runtime.repository.get(run.job.id)
    assert job.error is not None
    assert job.error.code == "deadline_exceeded"
    assert "stopped after 7 s with 12 of 64 forward passes done" in job.error.detail


@pytest.mark.parametrize("verdict", [Verdict.HANDED_BACK, Verdict.GIVEN_UP])
def test_a_job_that_is_given_back_waits_again(runtime: Runtime, run: Execution, verdict: Verdict) -> None:
    run.decide(verdict)
    settle(run, runtime.repository, runtime.queue)
    assert status(runtime, run) is JobStatus.QUEUED
    assert runtime.queue.depth() == 1
    again = runtime.repository.claim(run.job.id, "w/2", ttl_s=60)
    assert again is not None
    assert again.suspect is (verdict is Verdict.GIVEN_UP)


def test_a_lost_job_is_left_to_who_has_it(runtime: Runtime, run: Execution) -> None:
    run.decide(Verdict.LOST)
    settle(run, runtime.repository, runtime.queue)
    assert run.is_settled
    assert status(runtime, run) is JobStatus.RUNNING


@pytest.mark.parametrize("verdict", list(Verdict))
def test_said_twice_is_said_once(runtime: Runtime, run: Execution, verdict: Verdict) -> None:
    run.decide(verdict)
    settle(run, runtime.repository, runtime.queue)
    before = runtime.repository.get(run.job.id)
    settle(run, runtime.repository, runtime.queue)
    assert runtime.repository.get(run.job.id) == before
    assert runtime.queue.depth() <= 1
