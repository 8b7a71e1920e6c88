from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from rq import Queue, Worker
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from rq.utils import as_text

from service.jobs.connection import connect
from service.jobs.records import JobStatus
from tests.support.fake_encoder import FakeEncoder
from tests.support.jobs import submit
from tests.support.running import Serve
from worker.periodic import Periodic
from worker.rq_worker import FixlipWorker
from worker.runtime import Runtime

NewWorker = Callable[..., FixlipWorker]


@pytest.fixture
def new_worker(redis_url: str) -> Iterator[NewWorker]:
    """Makes a worker of a runtime."""
    with connect(redis_url, timeout_s=5) as connection:

        def make(runtime: Runtime, name: str = "a-worker/1", **options: Callable[[], bool]) -> FixlipWorker:
            return FixlipWorker(connection, runtime.settings, runtime.stop, name=name, **options)

        yield make


def enqueue(runtime: Runtime, **changes: Any) -> str:
    return submit(runtime.repository, runtime.bundles, runtime.queue, **changes).id


def entry_of(job_id: str, redis: Redis) -> RqJob:
    """RQ's record of the job, wherever it is."""
    (key,) = redis.keys(f"rq:job:{job_id}*")
    return RqJob.fetch(as_text(key).removeprefix("rq:job:"), connection=redis, serializer=JSONSerializer)


def test_jobs_run_in_order_and_leave_nothing_in_the_books_of_rq(new_worker: NewWorker, runtime: Runtime) -> None:
    ids = [enqueue(runtime) for _ in range(3)]
    assert new_worker(runtime).work(burst=True, logging_level=None)
    jobs = [runtime.repository.get(job_id) for job_id in ids]
    assert {job.status for job in jobs} == {JobStatus.SUCCEEDED}
    assert jobs == sorted(jobs, key=lambda job: str(job.started_at))
    queue = Queue(runtime.settings.queue_name, connection=runtime.redis, serializer=JSONSerializer)
    assert queue.count == 0
    assert queue.started_job_registry.count == 0
    assert queue.failed_job_registry.count == 0
    assert queue.intermediate_queue.get_job_ids() == []
    assert not runtime.redis.keys("rq:job:*")
    assert not runtime.redis.keys("rq:execution*")


def test_worker_neither_forks_nor_starts_threads_nor_takes_signals(
    new_worker: NewWorker, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers = [signal.getsignal(number) for number in numbers]
    before = threading.active_count()
    seen: list[int] = []

    def count() -> bool:
        seen.append(threading.active_count())
        return True

    monkeypatch.setattr("os.fork", lambda: pytest.fail("forked"))
    enqueue(runtime)
    worker = new_worker(runtime, may_take=count)
    worker.work(burst=True, logging_level=None)
    assert set(seen) == {before}
    assert [signal.getsignal(number) for number in numbers] == handlers


def test_one_queue_and_json(new_worker: NewWorker, runtime: Runtime) -> None:
    worker = new_worker(runtime)
    assert worker.queue_names() == [runtime.settings.queue_name]
    assert worker.serializer is JSONSerializer


def test_the_lease_is_in_the_workers_name(new_worker: NewWorker, serve: Serve) -> None:
    names: list[str] = []
    runtime = serve(FakeEncoder(on_batch=lambda: names.extend(run.lease.worker_id for run in runtime.executions.all())))
    enqueue(runtime)
    new_worker(runtime, name="host-1-abc/7").work(burst=True, logging_level=None)
    assert set(names) == {"host-1-abc/7"}


def test_running_job_sends_heartbeats_to_rq(new_worker: NewWorker, serve: Serve, connection: Redis) -> None:
    in_batch, go_on = threading.Event(), threading.Event()
    seen: dict[str, list[object]] = {"job": [], "worker": [], "worked": []}

    def look() -> None:
        seen["job"].append(entry_of(job_id, connection).last_heartbeat)
        seen["worker"].append(connection.hget(worker.key, "last_heartbeat"))
        seen["worked"].append(float(connection.hget(worker.key, "current_job_working_time") or 0))

    def watch() -> None:
        assert in_batch.wait(20)
        look()
        time.sleep(1.2)
        look()
        go_on.set()

    def hold() -> None:
        in_batch.set()
        assert go_on.wait(20)

    runtime = serve(FakeEncoder(on_batch=hold))
    worker = new_worker(runtime)
    job_id = enqueue(runtime)
    watcher = threading.Thread(target=watch)
    watcher.start()
    with Periodic("beats", worker.beat, period_s=0.2):
        worker.work(burst=True, logging_level=None)
    watcher.join()
    assert runtime.repository.get(job_id).status is JobStatus.SUCCEEDED
    for name, (first, second) in seen.items():
        assert second > first, f"no heartbeat of the {name}"  # type: ignore[operator]  # both are times or numbers


def test_no_beat_outlives_its_job(new_worker: NewWorker, runtime: Runtime) -> None:
    enqueue(runtime)
    worker = new_worker(runtime)
    with Periodic("beats", worker.beat, period_s=0.001):
        worker.work(burst=True, logging_level=None)
    before = runtime.redis.keys("rq:*")
    worker.beat()
    assert runtime.redis.keys("rq:*") == before
    assert not runtime.redis.keys("rq:execution*")


def test_silence_is_noticed_in_a_minute_whatever_the_time_out(new_worker: NewWorker, runtime: Runtime) -> None:
    job = entry_of(enqueue(runtime), runtime.redis)
    assert job.timeout == runtime.settings.job_timeout_s == 600
    assert new_worker(runtime).get_heartbeat_ttl(job) <= 65


def test_a_deadline_of_rq_never_strikes(new_worker: NewWorker, serve: Serve) -> None:
    pauses = iter([1.2])
    runtime = serve(FakeEncoder(on_batch=lambda: time.sleep(next(pauses, 0))), job_timeout_s=1)
    job_id = enqueue(runtime)
    new_worker(runtime).work(burst=True, logging_level=None)
    assert runtime.repository.get(job_id).status is JobStatus.SUCCEEDED


def test_asked_to_stop_an_idle_worker_leaves_within_seconds(new_worker: NewWorker, runtime: Runtime) -> None:
    threading.Timer(0.3, runtime.stop.request).start()
    assert new_worker(runtime).work(logging_level=None) is False


def test_asked_to_stop_a_worker_takes_no_other_job(new_worker: NewWorker, serve: Serve) -> None:
    def request_once() -> None:
        if not runtime.stop.requested:
            runtime.stop.request()

    runtime = serve(FakeEncoder(on_batch=request_once))
    first, second = enqueue(runtime), enqueue(runtime)
    new_worker(runtime).work(logging_level=None)
    assert runtime.repository.get(first).status is JobStatus.SUCCEEDED
    assert runtime.repository.get(second).status is JobStatus.QUEUED


def test_a_job_that_comes_when_the_worker_has_been_asked_to_stop_is_put_back(
    new_worker: NewWorker, runtime: Runtime
) -> None:
    waiting: list[str] = []

    def come_late() -> None:
        runtime.stop.request()
        waiting.extend([enqueue(runtime), enqueue(runtime)])

    timer = threading.Timer(0.3, come_late)
    timer.start()
    assert new_worker(runtime).work(logging_level=None) is False
    timer.join()
    queue = Queue(runtime.settings.queue_name, connection=runtime.redis, serializer=JSONSerializer)
    assert [entry.partition("-")[0] for entry in queue.get_job_ids()] == waiting
    assert queue.intermediate_queue.get_job_ids() == []
    assert queue.started_job_registry.count == 0


def test_held_back_a_worker_takes_no_job_until_it_may(new_worker: NewWorker, runtime: Runtime) -> None:
    job_id = enqueue(runtime)
    asked: list[JobStatus] = []

    def third_time() -> bool:
        asked.append(runtime.repository.get(job_id).status)
        return len(asked) > 2

    new_worker(runtime, may_take=third_time).work(burst=True, logging_level=None)
    assert set(asked[:3]) == {JobStatus.QUEUED}
    assert runtime.repository.get(job_id).status is JobStatus.SUCCEEDED


def test_a_job_that_comes_when_others_must_wait_is_put_back_for_another_worker(
    new_worker: NewWorker, runtime: Runtime
) -> None:
    closed, waiting = threading.Event(), list[str]()

    def come_late() -> None:
        closed.set()
        waiting.append(enqueue(runtime))
        time.sleep(1)
        runtime.stop.request()

    timer = threading.Timer(0.3, come_late)
    timer.start()
    assert new_worker(runtime, may_take=lambda: not closed.is_set()).work(logging_level=None) is False
    timer.join()
    assert runtime.repository.get(waiting[0]).status is JobStatus.QUEUED
    queue = Queue(runtime.settings.queue_name, connection=runtime.redis, serializer=JSONSerializer)
    assert [entry.partition("-")[0] for entry in queue.get_job_ids()] == waiting
    assert queue.intermediate_queue.get_job_ids() == []


def test_an_idle_worker_asks_redis_about_twice_a_second_at_most(new_worker: NewWorker, serve: Serve) -> None:
    def count() -> bool:
        counts.append(int(runtime.redis.info("stats")["total_commands_processed"]))
        return True

    runtime = serve(heartbeat_s=3.0)
    counts: list[int] = []
    worker = new_worker(runtime, may_take=count)
    threading.Timer(3.5, runtime.stop.request).start()
    worker.work(logging_level=None)
    assert counts[3] - counts[1] <= 2 * 2 + 2  # two polls, two heartbeat's commands, and those of this test


def test_dead_workers_are_struck_off_the_list(new_worker: NewWorker, runtime: Runtime) -> None:
    dead = new_worker(runtime, name="dead/1")
    dead.register_birth()  # type: ignore[no-untyped-call]  # rq has no types here
    runtime.redis.delete(dead.key)
    assert len(Worker.all_keys(runtime.redis)) == 1
    new_worker(runtime).work(burst=True, logging_level=None)
    assert Worker.all_keys(runtime.redis) == []
