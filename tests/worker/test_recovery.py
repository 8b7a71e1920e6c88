from __future__ import annotations

import time

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from service.jobs.records import JobStatus
from tests.support.fake_encoder import CARD
from tests.support.jobs import submit
from worker.recovery import Recovery
from worker.runtime import Runtime


@pytest.fixture
def recovery(runtime: Runtime) -> Recovery:
    return Recovery(runtime)


def sweep(recovery: Recovery, redis: Redis) -> None:
    redis.delete("fixlip:sweep")
    recovery.sweep()


def take(runtime: Runtime) -> str:
    """What RQ does when a worker takes the next job, up to where it dies."""
    queue = Queue(runtime.settings.queue_name, connection=runtime.redis, serializer=JSONSerializer)
    taken = Queue.dequeue_any([queue], None, connection=runtime.redis, serializer=JSONSerializer)
    assert taken is not None
    return str(taken[0].id)


def test_orphan_is_queued_again_once_and_then_fails(recovery: Recovery, runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts, runtime.queue)
    for _ in range(2):
        assert take(runtime) == job.id
        runtime.repository.claim(job.id, "a dead worker")
        sweep(recovery, runtime.redis)
    failed = runtime.repository.get(job.id)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    assert runtime.queue.depth() == 0
    assert runtime.repository.running_ids() == frozenset()


def test_orphan_is_in_the_queue_exactly_once(recovery: Recovery, runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts, runtime.queue)
    take(runtime)
    runtime.repository.claim(job.id, "a dead worker")
    for _ in range(3):
        sweep(recovery, runtime.redis)
    assert runtime.repository.get(job.id).status is JobStatus.QUEUED
    assert runtime.queue.depth() == 1


def test_jobs_of_live_workers_are_left_alone(recovery: Recovery, runtime: Runtime) -> None:
    runtime.announce()
    runtime.catalogue.announce(CARD.to_dict(), "another", ttl_s=60)
    ids = {name: submit(runtime.repository, runtime.artifacts).id for name in (runtime.worker_id, "another")}
    for name, job_id in ids.items():
        runtime.repository.claim(job_id, name)
    sweep(recovery, runtime.redis)
    assert {runtime.repository.get(job_id).status for job_id in ids.values()} == {JobStatus.RUNNING}


def test_stray_is_queued_again_after_a_while(recovery: Recovery, runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts, runtime.queue)
    assert take(runtime) == job.id
    sweep(recovery, runtime.redis)
    assert runtime.queue.depth() == 0
    time.sleep(runtime.settings.liveness_ttl_s + 0.05)
    for _ in range(3):
        sweep(recovery, runtime.redis)
    assert runtime.queue.depth() == 1
    assert take(runtime) == job.id


def test_waiting_jobs_are_no_strays(recovery: Recovery, runtime: Runtime) -> None:
    for _ in range(2):
        submit(runtime.repository, runtime.artifacts, runtime.queue)
    sweep(recovery, runtime.redis)
    time.sleep(runtime.settings.liveness_ttl_s + 0.05)
    sweep(recovery, runtime.redis)
    assert runtime.queue.depth() == 2


def test_one_sweep_per_heartbeat_is_enough_for_all_workers(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts, runtime.queue)
    Recovery(runtime).sweep()
    take(runtime)
    runtime.repository.claim(job.id, "a dead worker")
    Recovery(runtime).sweep()
    assert runtime.repository.get(job.id).status is JobStatus.RUNNING
    time.sleep(runtime.settings.heartbeat_s)
    Recovery(runtime).sweep()
    assert runtime.repository.get(job.id).status is JobStatus.QUEUED
