"""Whole worker processes: what they do when they are killed, stopped, frozen, or cut off from Redis."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from fixlip.redis_server import RedisServer
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.queue import JobQueue
from service.jobs.records import Job, utc_now
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from tests.support.fake_encoder import CARD
from tests.support.fake_worker import fake_worker
from tests.support.jobs import PARAMS, bundles_in, submit, wait_for
from tests.support.processes import wait_until
from worker.stopping import BROKEN

pytestmark = pytest.mark.slow

SLOW_ROW_S = 0.02
LONG = {**PARAMS, "budget": 4096}
"""Parameters of a job that no test waits for while its rows are slow."""

HEARTBEAT_S = 1.0
"""Three of these are longer than a busy machine keeps a worker waiting."""

PATIENCE_S = 90.0

Submit = Callable[..., Job]


@pytest.fixture
def repository(connection: Redis) -> JobRepository:
    return JobRepository(connection)


@pytest.fixture
def catalogue(connection: Redis) -> Catalogue:
    return Catalogue(connection)


@pytest.fixture
def queue(redis_url: str, connection: Redis) -> JobQueue:
    return JobQueue(connection, JobSettings(redis_url=redis_url))


@pytest.fixture
def enqueue(repository: JobRepository, queue: JobQueue, connection: Redis, tmp_path: Path) -> Submit:
    """Submits a job."""
    return lambda **changes: submit(repository, bundles_in(connection, tmp_path), queue, **changes)


def enqueue_at(url: str, connection: Redis, data_dir: Path, **changes: Any) -> Job:
    queue = JobQueue(connection, JobSettings(redis_url=url))
    return submit(JobRepository(connection), bundles_in(connection, data_dir), queue, **changes)


def wait_for_run(repository: JobRepository, job_id: str, *, after: datetime | None = None) -> Job:
    """The job as soon as it makes progress, in a run that began after an instant."""
    deadline = time.monotonic() + 60
    while True:
        job = repository.get(job_id)
        if job.started_at is not None and (after is None or job.started_at > after) and job.progress.completed:
            return job
        assert time.monotonic() < deadline, f"job is {job.status} since {job.started_at}"
        time.sleep(0.02)


def kill(process: object, repository: JobRepository, job_id: str) -> None:
    """Kill a worker amid a job, in a run that has not begun yet when this is called."""
    wait_for_run(repository, job_id, after=utc_now())
    process.send_signal(signal.SIGKILL)  # type: ignore[attr-defined]  # a Popen of text
    process.wait()  # type: ignore[attr-defined]  # the same


class TestKilled:
    def test_its_job_runs_again_soon(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        job = enqueue(params=LONG)
        with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S, heartbeat_s=HEARTBEAT_S) as first:
            wait_for_run(repository, job.id)
            with fake_worker(redis_url, tmp_path, heartbeat_s=HEARTBEAT_S):
                wait_until(lambda: Catalogue(repository._redis).live_workers() == 2)
                first.send_signal(signal.SIGKILL)
                killed = time.monotonic()
                wait_until(lambda: repository.get(job.id).attempt == 2, within_s=PATIENCE_S)
                # Three missed heartbeats, and what a busy machine takes.
                assert time.monotonic() - killed < 3 * HEARTBEAT_S + 10
                wait_for(repository, job.id, "succeeded", within_s=PATIENCE_S)

    def test_a_job_that_kills_its_worker_again_and_again_is_given_up(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        job = enqueue(params=LONG)
        for _ in range(3):  # the first time it may have been another's fault
            with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S, heartbeat_s=HEARTBEAT_S) as worker:
                kill(worker, repository, job.id)
        innocent = enqueue()
        with fake_worker(redis_url, tmp_path, heartbeat_s=HEARTBEAT_S):
            failed = wait_for(repository, job.id, "failed", within_s=PATIENCE_S)
            wait_for(repository, innocent.id, "succeeded", within_s=PATIENCE_S)
        assert failed.error is not None
        assert failed.error.code == "worker_lost"

    def test_frozen_for_long_it_does_not_do_twice_what_another_has_done(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        job = enqueue(params={**PARAMS, "budget": 512})
        with fake_worker(redis_url, tmp_path, row_s=0.005, heartbeat_s=HEARTBEAT_S) as zombie:
            wait_for_run(repository, job.id)
            zombie.send_signal(signal.SIGSTOP)
            with fake_worker(redis_url, tmp_path, heartbeat_s=HEARTBEAT_S):
                done = wait_for(repository, job.id, "succeeded", within_s=PATIENCE_S)
                results = repository.row(job.id).books.results
                zombie.send_signal(signal.SIGCONT)
                time.sleep(3)  # longer than the rest of its work
                assert zombie.poll() is None
            after = enqueue()
            wait_for(repository, after.id, "succeeded", within_s=PATIENCE_S)
        assert repository.get(job.id) == done
        assert done.attempt == 2
        assert repository.row(job.id).books.results == results


class TestStopped:
    def test_announced_while_alive_and_withdrawn_at_the_end(
        self, redis_url: str, catalogue: Catalogue, tmp_path: Path
    ) -> None:
        with fake_worker(redis_url, tmp_path, heartbeat_s=0.3) as worker:
            wait_until(lambda: bool(catalogue.live_workers(CARD.id)))
            time.sleep(1.5)  # five heartbeats, longer than one announcement lasts
            assert catalogue.live_workers(CARD.id) == 1
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(10) == 0
        assert catalogue.live_workers() == 0
        assert catalogue.cards()[CARD.id] == CARD

    def test_sigterm_lets_the_jobs_finish(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        jobs = [enqueue(), enqueue()]
        with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S) as worker:
            for job in jobs:
                wait_for(repository, job.id, "running")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        assert {repository.get(job.id).status for job in jobs} == {"succeeded"}

    def test_after_the_grace_the_jobs_are_handed_back(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        jobs = [enqueue(params=LONG), enqueue(params=LONG)]
        with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S, grace_s=0.5) as worker:
            for job in jobs:
                wait_for_run(repository, job.id)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(15) == 0
        assert {repository.get(job.id).status for job in jobs} == {"queued"}
        with fake_worker(redis_url, tmp_path):
            for job in jobs:
                assert wait_for(repository, job.id, "succeeded").attempt == 2

    def test_second_signal_hands_back_at_once(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        job = enqueue(params=LONG)
        with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S, grace_s=600) as worker:
            wait_for(repository, job.id, "running")
            worker.send_signal(signal.SIGINT)
            time.sleep(0.1)
            worker.send_signal(signal.SIGINT)
            assert worker.wait(15) == 0
        assert repository.get(job.id).status == "queued"

    def test_native_code_does_not_keep_a_job_from_going_back(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        job = enqueue()
        with fake_worker(redis_url, tmp_path, stall_s=60, grace_s=0.1) as worker:
            wait_for(repository, job.id, "running")
            worker.send_signal(signal.SIGTERM)
            wait_for(repository, job.id, "queued", within_s=4)
            assert worker.wait(15) == 0
        assert Catalogue(repository._redis).live_workers() == 0

    def test_a_lost_device_ends_the_process_and_another_runs_the_job(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        job = enqueue()
        error = "CUDA error: an illegal memory access was encountered"
        with fake_worker(redis_url, tmp_path, FAKE_ERROR=error) as worker:
            assert worker.wait(30) == BROKEN
        assert repository.get(job.id).status == "queued"
        with fake_worker(redis_url, tmp_path):
            assert wait_for(repository, job.id, "succeeded").attempt == 2


class TestCanceled:
    def test_amid_its_passes(
        self, redis_url: str, repository: JobRepository, queue: JobQueue, enqueue: Submit, tmp_path: Path
    ) -> None:
        with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S, FIXLIP_CONCURRENCY="1"):
            job, next_one = enqueue(params=LONG), enqueue()
            wait_for_run(repository, job.id)
            repository.request_cancel(job.id, queue=queue)
            wait_for(repository, job.id, "canceled", within_s=3)
            wait_for(repository, next_one.id, "running", within_s=5)

    def test_within_native_code(
        self, redis_url: str, repository: JobRepository, queue: JobQueue, enqueue: Submit, tmp_path: Path
    ) -> None:
        with fake_worker(redis_url, tmp_path, stall_s=6, FIXLIP_CONCURRENCY="1"):
            job = enqueue()
            wait_for(repository, job.id, "running")
            repository.request_cancel(job.id, queue=queue)
            done = wait_for(repository, job.id, "canceled", within_s=3)
            next_one = enqueue()
            wait_for(repository, next_one.id, "running")
        assert repository.get(job.id) == done
        books = Queue("fixlip", connection=repository._redis, serializer=JSONSerializer)
        assert books.started_job_registry.count <= 1

    def test_a_deadline_is_kept_within_native_code(
        self, redis_url: str, repository: JobRepository, enqueue: Submit, tmp_path: Path
    ) -> None:
        job = enqueue()
        with fake_worker(redis_url, tmp_path, stall_s=20, FIXLIP_JOB_TIMEOUT_S="1"):
            failed = wait_for(repository, job.id, "failed", within_s=15)
        assert failed.error is not None
        assert failed.error.code == "deadline_exceeded"
        assert (failed.metrics.run_s or 0) < 6


class TestWithoutRedis:
    @pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
    def test_it_works_on_and_needs_nobody_to_restart_it(self, tmp_path: Path, busy: bool) -> None:
        with RedisServer(tmp_path / "redis") as server, connect(server.url, timeout_s=5) as connection:
            repository = JobRepository(connection)
            first = enqueue_at(server.url, connection, tmp_path)
            with fake_worker(server.url, tmp_path, row_s=SLOW_ROW_S, heartbeat_s=1) as worker:
                wait_for(repository, first.id, "running" if busy else "succeeded")
                server.process.kill()
                server.process.wait()
                time.sleep(4)  # longer than a lease lasts
                server.start()
                assert wait_for(repository, first.id, "succeeded").attempt == 1
                second = enqueue_at(server.url, connection, tmp_path)
                wait_for(repository, second.id, "succeeded")
                assert worker.poll() is None

    def test_it_stops_all_the_same(self, tmp_path: Path) -> None:
        with RedisServer(tmp_path / "redis") as server:
            with connect(server.url, timeout_s=5) as connection, fake_worker(server.url, tmp_path) as worker:
                wait_until(lambda: bool(Catalogue(connection).live_workers()))
                server.process.kill()
                server.process.wait()
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(15) == 0
            server.start()
