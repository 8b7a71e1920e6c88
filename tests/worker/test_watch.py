from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from redis import ConnectionError as RedisConnectionError
from redis import Redis

from service.jobs.records import JobFailure, JobStatus
from service.jobs.repository import JobRepository
from tests.support.jobs import submit
from worker.execution import Execution, Verdict
from worker.runtime import Runtime
from worker.stopping import BROKEN
from worker.watch import HANGING_AFTER_S, Watch

Begin = Callable[..., Execution]


@pytest.fixture
def begin(runtime: Runtime) -> Begin:
    """Makes a job that runs here, in a thread that never looks."""

    def make(*, time_limit_s: float = 60, ttl_s: float = 60) -> Execution:
        job = submit(runtime.repository, runtime.bundles)
        claim = runtime.repository.claim(job.id, f"w/{job.id}", ttl_s=ttl_s)
        assert claim is not None
        run = Execution(claim, time_limit_s=time_limit_s)
        runtime.executions.add(run)
        run.begin()
        return run

    return make


@pytest.fixture
def watch(runtime: Runtime) -> Watch:
    return Watch(runtime.executions, runtime.repository, runtime.queue, runtime.stop, ttl_s=60)


def status(runtime: Runtime, run: Execution) -> JobStatus:
    return runtime.repository.get(run.job.id).status


def test_leases_are_renewed(begin: Begin, watch: Watch, connection: Redis) -> None:
    runs = [begin(ttl_s=1) for _ in range(3)]
    watch.look()
    seconds, _ = connection.time()
    for run in runs:
        assert (connection.zscore("fixlip:leases", run.job.id) or 0) > seconds + 50
        assert run.verdict is None


def test_progress_is_written_as_it_is_made(begin: Begin, watch: Watch, runtime: Runtime) -> None:
    run, other = begin(), begin()
    run.report(3, 8)
    watch.look()
    run.report(5, 8)
    other.report(1, 9)
    watch.look()
    for one, expected in ((run, (5, 8)), (other, (1, 9))):
        progress = runtime.repository.get(one.job.id).progress
        assert (progress.completed, progress.total) == expected


def test_a_cancellation_is_seen_by_the_client_though_the_thread_does_not_look(
    begin: Begin, watch: Watch, runtime: Runtime
) -> None:
    run, other = begin(), begin()
    runtime.repository.request_cancel(run.job.id, queue=runtime.queue)
    watch.look()
    assert run.verdict is Verdict.CANCELED
    assert [status(runtime, one) for one in (run, other)] == [JobStatus.CANCELED, JobStatus.RUNNING]


def test_so_is_a_deadline(begin: Begin, watch: Watch, runtime: Runtime) -> None:
    run, other = begin(time_limit_s=0.01), begin()
    time.sleep(0.02)
    watch.look()
    assert [one.verdict for one in (run, other)] == [Verdict.OVERDUE, None]
    error = runtime.repository.get(run.job.id).error
    assert error is not None
    assert error.code == "deadline_exceeded"


def test_when_the_grace_is_over_all_go_back(begin: Begin, watch: Watch, runtime: Runtime) -> None:
    runs = [begin(), begin()]
    runtime.stop.request()
    watch.look()
    assert [run.verdict for run in runs] == [None, None]
    runtime.stop.request()
    watch.look()
    assert [status(runtime, run) for run in runs] == [JobStatus.QUEUED] * 2
    assert runtime.queue.depth() == 2


def test_a_job_that_was_taken_back_is_dropped(begin: Begin, watch: Watch, runtime: Runtime) -> None:
    run = begin(ttl_s=0.01)
    time.sleep(0.02)
    runtime.repository.take_back(run.job.id, queue=runtime.queue)
    before = runtime.repository.get(run.job.id)
    watch.look()
    assert run.verdict is Verdict.LOST
    assert runtime.repository.get(run.job.id) == before


def test_an_outage_delays_what_is_written_but_not_what_is_decided(
    begin: Begin, watch: Watch, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = begin(time_limit_s=0.01), begin()
    time.sleep(0.02)

    def away(*_: object, **__: object) -> None:
        raise RedisConnectionError("away")

    with monkeypatch.context() as outage:
        outage.setattr(JobRepository, "renew", away)
        outage.setattr(JobRepository, "fail", away)
        with pytest.raises(RedisConnectionError):
            watch.look()
        assert run.verdict is Verdict.OVERDUE
        assert not run.is_settled
    watch.look()
    assert run.is_settled
    assert [status(runtime, one) for one in (run, other)] == [JobStatus.FAILED, JobStatus.RUNNING]


def test_a_thread_that_does_not_end_ends_the_process(
    begin: Begin, watch: Watch, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = begin(), begin(time_limit_s=600)
    run.decide(Verdict.CANCELED)
    watch.look()
    assert not runtime.stop.requested
    later = time.monotonic() + HANGING_AFTER_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    watch.look()
    assert runtime.stop.exit_status == BROKEN
    watch.look()
    assert status(runtime, other) is JobStatus.QUEUED


def test_leases_last_while_a_slow_redis_writes_what_was_decided(
    begin: Begin, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = JobRepository.cancel

    def slowly(self: JobRepository, *arguments: Any) -> bool:
        time.sleep(0.3)
        return cancel(self, *arguments)

    monkeypatch.setattr(JobRepository, "cancel", slowly)
    canceled, other = [begin() for _ in range(3)], begin()
    for run in canceled:
        runtime.repository.request_cancel(run.job.id, queue=runtime.queue)
    Watch(runtime.executions, runtime.repository, runtime.queue, runtime.stop, ttl_s=0.6).look()
    assert [status(runtime, run) for run in canceled] == [JobStatus.CANCELED] * 3
    assert runtime.repository.take_back(other.job.id, queue=runtime.queue) is None


def test_what_is_over_is_left_to_its_own_thread(begin: Begin, watch: Watch, runtime: Runtime) -> None:
    ended, waiting = begin(time_limit_s=0.01), begin(time_limit_s=0.01, ttl_s=1)
    for run in (ended, waiting):
        run.finish()
    runtime.repository.fail(ended.lease, JobFailure(code="a_code", detail="of a test"))
    runtime.stop.give_up()
    time.sleep(0.02)
    watch.look()
    assert [run.verdict for run in (ended, waiting)] == [None, None]
    assert status(runtime, waiting) is JobStatus.RUNNING
    time.sleep(1)
    assert runtime.repository.take_back(waiting.job.id, queue=runtime.queue) is None, "its lease was not renewed"


def test_who_waits_for_redis_with_a_verdict_does_not_hang(
    begin: Begin, watch: Watch, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(time_limit_s=600)
    run.decide(Verdict.CANCELED)
    run.finish()
    later = time.monotonic() + HANGING_AFTER_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    watch.look()
    assert not runtime.stop.requested


def test_with_nothing_to_watch_redis_is_left_alone(watch: Watch, runtime: Runtime, connection: Redis) -> None:
    def commands() -> int:
        return int(connection.info("stats")["total_commands_processed"])

    before = commands()
    watch.look()
    assert commands() - before <= 1
