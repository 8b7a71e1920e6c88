from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import ConnectionError as RedisConnectionError
from redis import Redis
from rq import Worker

from service.jobs.records import JobStatus
from tests.support.fake_encoder import FakeEncoder
from tests.support.jobs import submit, wait_for
from tests.support.processes import wait_until
from tests.support.running import Serve
from worker import slots as module
from worker.rq_worker import FixlipWorker
from worker.runtime import Runtime
from worker.slots import Slots


@contextmanager
def working(runtime: Runtime) -> Iterator[Slots]:
    slots = Slots(runtime)
    slots.start()
    try:
        yield slots
    finally:
        runtime.stop.request()
        wait_until(slots.join)


def test_as_many_jobs_run_at_once_as_there_are_slots(serve: Serve) -> None:
    go_on = threading.Event()
    runtime = serve(FakeEncoder(on_view=lambda: go_on.wait(20)), concurrency=2)
    ids = [submit(runtime.repository, runtime.bundles, runtime.queue).id for _ in range(3)]
    with working(runtime):
        wait_until(lambda: len(runtime.executions.all()) == 2)
        assert runtime.queue.depth() == 1
        go_on.set()
        for job_id in ids:
            assert wait_for(runtime.repository, job_id, "succeeded", "failed").status is JobStatus.SUCCEEDED


def test_rq_shows_every_slot_and_what_it_does(serve: Serve, redis_url: str) -> None:
    go_on = threading.Event()
    runtime = serve(FakeEncoder(on_view=lambda: go_on.wait(20)), concurrency=3)
    ids = [submit(runtime.repository, runtime.bundles, runtime.queue).id for _ in range(2)]
    with working(runtime):
        for job_id in ids:
            wait_for(runtime.repository, job_id, "running")
        wait_until(lambda: len(Worker.all_keys(runtime.redis)) == 3)
        shown = subprocess.run(
            [sys.executable, "-m", "rq.cli", "info", "--url", redis_url, "--raw"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        go_on.set()
    workers = [line.split() for line in shown.splitlines() if line.startswith("worker ")]
    assert {words[1] for words in workers} == {f"{runtime.worker_id}/{slot}" for slot in (1, 2, 3)}
    assert sorted(words[5] for words in workers) == ["busy", "busy", "idle"]


def test_slots_come_back_after_redis_trouble_under_another_name(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, connection: Redis
) -> None:
    failures = iter([RedisConnectionError("away"), ZeroDivisionError("a bug")])
    register_birth = FixlipWorker.register_birth

    def flaky(self: FixlipWorker) -> None:
        for error in failures:
            raise error
        register_birth(self)  # type: ignore[no-untyped-call]  # rq has no types here

    monkeypatch.setattr(FixlipWorker, "register_birth", flaky)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    runtime = serve(concurrency=1)
    with working(runtime):
        wait_until(lambda: Worker.all_keys(connection) == [f"rq:worker:{runtime.worker_id}/1.3"])


def test_when_stopped_they_end_and_say_so(serve: Serve, connection: Redis) -> None:
    runtime = serve(concurrency=2)
    with working(runtime) as slots:
        wait_until(lambda: len(Worker.all_keys(connection)) == 2)
        assert not slots.join()
    assert slots.join()
    assert Worker.all_keys(connection) == []


def test_their_beats_are_those_of_running_jobs(serve: Serve, connection: Redis) -> None:
    go_on = threading.Event()
    runtime = serve(FakeEncoder(on_view=lambda: go_on.wait(20)), concurrency=2)
    job = submit(runtime.repository, runtime.bundles, runtime.queue)
    with working(runtime) as slots:
        wait_for(runtime.repository, job.id, "running")
        (key,) = connection.keys("rq:execution:*")
        connection.expire(key, 5)
        slots.beat()
        assert connection.ttl(key) > 5
        go_on.set()
