"""The task when the place is in trouble: what is tried again, what ends the process, and what Redis's absence costs."""

from __future__ import annotations

from typing import Any

import pytest
from redis import ConnectionError as RedisConnectionError

from fixlip_core.errors import DeviceLostError
from service.jobs.errors import StorageUnavailableError
from service.jobs.records import JobStatus
from service.jobs.repository import JobRepository
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.holdings import Holdings, Kept
from service.jobs.storage.objects import Objects
from tests.support.fake_encoder import FakeEncoder
from tests.support.jobs import submit
from tests.support.running import SLOT, Serve, files_of, raising, run
from worker.execution import Execution, Verdict
from worker.runtime import Runtime
from worker.stopping import BROKEN
from worker.tasks import run_job


@pytest.mark.parametrize("error", [StorageUnavailableError("disk full"), MemoryError()], ids=type)
def test_a_fault_that_may_pass_costs_a_retry_and_not_the_job(serve: Serve, error: Exception) -> None:
    failures = iter([error])

    def fail_once() -> None:
        for failure in failures:
            raise failure

    runtime = serve(FakeEncoder(on_view=fail_once))
    job = run(runtime)
    assert (job.status, job.error) == (JobStatus.QUEUED, None)
    assert runtime.repository.queue_state().delayed == 1
    run_job(runtime, job.id, worker_id=SLOT)
    assert runtime.repository.get(job.id).status is JobStatus.SUCCEEDED


def test_a_fault_that_does_not_pass_fails_the_job_in_the_end(serve: Serve) -> None:
    runtime = serve(FakeEncoder(on_batch=raising(StorageUnavailableError("disk full"))), max_retries=2)
    job = submit(runtime.repository, runtime.bundles)
    for expected in (JobStatus.QUEUED, JobStatus.QUEUED, JobStatus.FAILED):
        run_job(runtime, job.id, worker_id=SLOT)
        assert runtime.repository.get(job.id).status is expected
    error = runtime.repository.get(job.id).error
    assert error is not None
    assert (error.code, error.detail) == ("storage_unavailable", "disk full")


def test_a_store_that_cannot_be_written_puts_the_job_off(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    job = submit(runtime.repository, runtime.bundles)

    def refuse(*_: Any) -> None:
        raise StorageUnavailableError("disk full")

    monkeypatch.setattr(Objects, "put", refuse)
    run_job(runtime, job.id, worker_id=SLOT)
    assert runtime.repository.get(job.id).status is JobStatus.QUEUED


def test_the_loss_of_the_device_ends_the_process_and_gives_up_all_jobs(serve: Serve) -> None:
    runtime = serve(FakeEncoder(on_batch=raising(DeviceLostError("CUDA error"))))
    other = submit(runtime.repository, runtime.bundles)
    claim = runtime.repository.claim(other.id, "a-worker/2", ttl_s=60)
    assert claim is not None
    beside = Execution(claim, time_limit_s=60)
    runtime.executions.add(beside)
    claim = runtime.repository.claim(submit(runtime.repository, runtime.bundles).id, "a-worker/3", ttl_s=60)
    assert claim is not None
    answered = Execution(claim, time_limit_s=60)
    answered.finish()
    runtime.executions.add(answered)
    job = run(runtime)
    assert runtime.stop.exit_status == BROKEN
    assert job.status is JobStatus.QUEUED
    assert beside.verdict is Verdict.GIVEN_UP
    assert answered.verdict is None, "its answer, which is being written, is good"
    again = runtime.repository.claim(job.id, "another/1", ttl_s=60)
    assert again is not None
    assert again.suspect


def test_a_job_that_is_claimed_too_late_is_handed_back_unblamed(runtime: Runtime) -> None:
    runtime.stop.give_up()
    job = run(runtime)
    assert job.status is JobStatus.QUEUED
    again = runtime.repository.claim(job.id, "another/1", ttl_s=60)
    assert again is not None
    assert not again.suspect


def test_a_suspect_runs_alone(serve: Serve) -> None:
    seen: list[tuple[bool, bool]] = []
    runtime = serve(FakeEncoder(on_batch=lambda: seen.append((runtime.gate.is_open, noted_as_alone(runtime, job.id)))))
    job = submit(runtime.repository, runtime.bundles)
    claim = runtime.repository.claim(job.id, "dead/1", ttl_s=60)
    assert claim is not None
    runtime.repository.give_up(claim.lease, alone=False, queue=runtime.queue)
    run_job(runtime, job.id, worker_id=SLOT)
    assert runtime.repository.get(job.id).status is JobStatus.SUCCEEDED
    assert set(seen) == {(False, True)}
    assert runtime.gate.is_open


def noted_as_alone(runtime: Runtime, job_id: str) -> bool:
    return runtime.redis.hget(f"fixlip:job:{job_id}", "alone") == b"true"


@pytest.mark.parametrize("method", ["claim", "succeed"])
def test_redis_trouble_is_waited_out(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    act = getattr(JobRepository, method)
    failures = iter(range(2))

    def flaky(self: JobRepository, *arguments: Any, **options: Any) -> Any:
        if next(failures, None) is not None:
            raise RedisConnectionError("away")
        return act(self, *arguments, **options)

    monkeypatch.setattr(JobRepository, method, flaky)
    assert run(runtime).status is JobStatus.SUCCEEDED
    assert next(failures, None) is None


def test_redis_trouble_while_failing_is_waited_out(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    fail = JobRepository.fail
    failures = iter([RedisConnectionError("away")])

    def flaky(self: JobRepository, *arguments: Any) -> bool:
        for error in failures:
            raise error
        return fail(self, *arguments)

    monkeypatch.setattr(JobRepository, "fail", flaky)
    assert run(serve(FakeEncoder(on_batch=raising(ZeroDivisionError())))).status is JobStatus.FAILED


def test_redis_trouble_of_a_stopping_worker_leaves_the_job_behind(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: JobRepository, *arguments: Any, **options: Any) -> bool:
        runtime.stop.request()
        runtime.stop.request()
        raise RedisConnectionError("away")

    monkeypatch.setattr(JobRepository, "succeed", away)
    assert run(runtime).status is JobStatus.RUNNING
    assert runtime.executions.all() == []


@pytest.mark.parametrize("times", [1, 3])
def test_results_are_stored_once_redis_is_back(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    job = submit(runtime.repository, runtime.bundles)
    troubles = iter([RedisConnectionError("away")] * times)
    claim = Holdings.claim

    def away_at_first(self: Holdings, digest: str) -> Kept | None:
        for trouble in troubles:
            raise trouble
        return claim(self, digest)

    monkeypatch.setattr(Holdings, "claim", away_at_first)
    run_job(runtime, job.id, worker_id=SLOT)
    assert files_of(runtime, runtime.repository.get(job.id))["result.json"]


def test_results_that_were_removed_before_they_could_be_told_are_stored_again(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed = JobRepository.succeed
    troubles = iter([RedisConnectionError("away")])

    def away_for_hours(self: JobRepository, *arguments: Any, results: Bundle) -> bool:
        for trouble in troubles:
            runtime.redis.zadd("fixlip:unheld", {results.digest: 1.0})
            assert runtime.bundles.collect_garbage(most=10) == 1
            raise trouble
        return succeed(self, *arguments, results=results)

    monkeypatch.setattr(JobRepository, "succeed", away_for_hours)
    assert files_of(runtime, run(runtime))["result.json"]
