from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from service.jobs.connection import connect
from service.jobs.records import JobStatus
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.jobs import submit
from worker.heartbeat import Heartbeat
from worker.rq_worker import FixlipWorker
from worker.runtime import Runtime, install_runtime
from worker.stopping import Stop


@pytest.fixture
def worker(redis_url: str, runtime: Runtime) -> Iterator[FixlipWorker]:
    runtime.announce()
    with connect(redis_url, timeout_s=5) as connection:
        yield FixlipWorker(connection, runtime, name="a-worker")


def enqueue(runtime: Runtime, **changes: object) -> str:
    return submit(runtime.repository, runtime.artifacts, runtime.queue, **changes).id


def test_jobs_run_in_order_and_leave_nothing_in_the_books_of_rq(worker: FixlipWorker, runtime: Runtime) -> None:
    ids = [enqueue(runtime) for _ in range(3)]
    assert worker.work(burst=True, logging_level=None)
    jobs = [runtime.repository.get(job_id) for job_id in ids]
    assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
    assert jobs == sorted(jobs, key=lambda job: str(job.started_at))
    queue = Queue(runtime.settings.queue_name, connection=runtime.redis, serializer=JSONSerializer)
    assert queue.count == 0
    assert queue.started_job_registry.count == 0
    assert queue.intermediate_queue.get_job_ids() == []
    assert not [key for key in runtime.redis.keys("rq:job:*") if b":results" not in key]


def test_worker_never_forks_and_keeps_its_signals(
    worker: FixlipWorker, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    monkeypatch.setattr("os.fork", lambda: pytest.fail("forked"))
    enqueue(runtime)
    worker.work(burst=True, logging_level=None)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == handlers


def test_one_queue_json_and_a_timer(worker: FixlipWorker, runtime: Runtime) -> None:
    assert worker.queue_names() == [runtime.settings.queue_name]
    assert worker.serializer is JSONSerializer
    assert issubclass(worker.death_penalty_class, TimerDeathPenalty)


def test_running_job_sends_heartbeats_to_rq(worker: FixlipWorker, runtime: Runtime, connection: Redis) -> None:
    in_batch, go_on = threading.Event(), threading.Event()
    seen: dict[str, list[object]] = {"job": [], "worker": [], "worked": []}

    def look(job_id: str) -> None:
        job = RqJob.fetch(job_id, connection=connection, serializer=JSONSerializer)
        seen["job"].append(job.last_heartbeat)
        seen["worker"].append(connection.hget(worker.key, "last_heartbeat"))
        seen["worked"].append(float(connection.hget(worker.key, "current_job_working_time") or 0))

    def watch() -> None:
        assert in_batch.wait(20)
        look(job_id)
        threading.Event().wait(1.2)
        look(job_id)
        go_on.set()

    def hold() -> None:
        in_batch.set()
        assert go_on.wait(20)

    runtime.encoders = {CARD.id: FakeEncoder(on_batch=hold)}
    job_id = enqueue(runtime)
    watcher = threading.Thread(target=watch)
    watcher.start()
    with Heartbeat((worker.beat,), period_s=0.2):
        worker.work(burst=True, logging_level=None)
    watcher.join()
    assert runtime.repository.get(job_id).status is JobStatus.SUCCEEDED
    for name, (first, second) in seen.items():
        assert second > first, f"no heartbeat of the {name}"  # type: ignore[operator]  # both are times or numbers


def test_no_beat_outlives_its_job(worker: FixlipWorker, runtime: Runtime) -> None:
    enqueue(runtime)
    with Heartbeat((worker.beat,), period_s=0.001):
        worker.work(burst=True, logging_level=None)
    before = runtime.redis.keys("rq:*")
    worker.beat()
    assert runtime.redis.keys("rq:*") == before
    assert not runtime.redis.keys("rq:execution*")


def test_silence_is_noticed_in_a_minute_whatever_the_time_out(worker: FixlipWorker, runtime: Runtime) -> None:
    job_id = enqueue(runtime)
    job = RqJob.fetch(job_id, connection=runtime.redis, serializer=JSONSerializer)
    assert job.timeout == runtime.settings.job_timeout_s == 600
    assert worker.get_heartbeat_ttl(job) <= 65


def test_unfinished_job_goes_back_to_the_queue(worker: FixlipWorker, runtime: Runtime, redis_url: str) -> None:
    runtime.stop = Stop(grace_s=0)
    runtime.encoders = {CARD.id: FakeEncoder(on_batch=runtime.stop.request)}
    job_id, waiting = enqueue(runtime), enqueue(runtime)
    worker.work(logging_level=None)
    assert [runtime.repository.get(one).status for one in (job_id, waiting)] == [JobStatus.QUEUED] * 2
    successor = Runtime(
        settings=runtime.settings,
        redis=runtime.redis,
        encoders={CARD.id: FakeEncoder()},
        stop=Stop(0),
    )
    install_runtime(successor)
    with connect(redis_url, timeout_s=5) as connection:
        FixlipWorker(connection, successor, name="another").work(burst=True, logging_level=None)
    assert [runtime.repository.get(one).status for one in (job_id, waiting)] == [JobStatus.SUCCEEDED] * 2


def test_asked_to_stop_an_idle_worker_leaves_within_seconds(worker: FixlipWorker, runtime: Runtime) -> None:
    threading.Timer(0.3, runtime.stop.request).start()
    assert worker.work(logging_level=None) is False


def test_asked_to_stop_a_worker_takes_no_other_job(worker: FixlipWorker, runtime: Runtime) -> None:
    def request_once() -> None:
        if not runtime.stop.requested:
            runtime.stop.request()

    runtime.stop = Stop(grace_s=60)
    runtime.encoders = {CARD.id: FakeEncoder(on_batch=request_once)}
    first, second = enqueue(runtime), enqueue(runtime)
    worker.work(logging_level=None)
    assert runtime.repository.get(first).status is JobStatus.SUCCEEDED
    assert runtime.repository.get(second).status is JobStatus.QUEUED
