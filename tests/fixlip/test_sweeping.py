from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from fixlip.redis_server import RedisServer
from fixlip.sweeping import Sweeper, is_sweeping
from service.jobs.queue import JobQueue
from service.jobs.records import JobStatus
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from tests.support.jobs import bundles_in, submit
from tests.support.processes import wait_until

ROOT = Path(__file__).parents[2]


def settings_of(redis_url: str, data_dir: Path) -> JobSettings:
    return JobSettings(redis_url=redis_url, data_dir=data_dir, heartbeat_s=0.2)


def test_a_sweep_leaves_a_sign_that_lapses(redis_url: str, tmp_path: Path) -> None:
    settings = settings_of(redis_url, tmp_path)
    with redis.Redis.from_url(redis_url) as client:
        assert not is_sweeping(client, settings)
        Sweeper(settings).sweep()
        assert is_sweeping(client, settings)
        wait_until(lambda: not is_sweeping(client, settings), within_s=5)


def test_a_job_of_a_dead_worker_is_queued_again_though_no_worker_is_left(redis_url: str, tmp_path: Path) -> None:
    settings = settings_of(redis_url, tmp_path)
    with redis.Redis.from_url(redis_url) as client:
        repository, queue = JobRepository(client), JobQueue(client, settings)
        job = submit(repository, bundles_in(client, tmp_path), queue)
        assert repository.claim(job.id, "host-17-0a1b2c3d/1", ttl_s=0.1) is not None
        sweeper = Sweeper(settings)

        def is_queued_again() -> bool:
            sweeper.sweep()
            return repository.get(job.id).status is JobStatus.QUEUED

        assert not is_queued_again()  # first it waits, lest the worker only could not reach Redis either
        wait_until(is_queued_again, within_s=10)


def test_redis_may_go_and_come_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(tmp_path / "redis") as server, redis.Redis.from_url(server.url) as client:
        settings = settings_of(server.url, tmp_path)
        sweeper = Sweeper(settings)
        server.process.kill()
        server.process.wait()
        sweeper.sweep()
        sweeper.sweep()
        server.start()
        sweeper.sweep()
        assert is_sweeping(client, settings)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["Redis is away", "Redis is back"]


def test_the_process_sweeps_until_asked_to_stop(redis_url: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "FIXLIP_DATA_DIR": str(tmp_path),
        "FIXLIP_HEARTBEAT_S": "0.2",
    }
    with redis.Redis.from_url(redis_url) as client:
        client.zadd("fixlip:delayed", {"no-such-job": 1.0})  # due, and of no record: an error must not end it
        process = subprocess.Popen(
            [sys.executable, "-m", "fixlip", "sweep"], cwd=ROOT, env=environment, stderr=subprocess.PIPE
        )
        try:
            wait_until(lambda: is_sweeping(client, settings_of(redis_url, tmp_path)))
            wait_until(lambda: client.exists("fixlip:turn:sweep") == 1)
            assert process.poll() is None
        finally:
            process.terminate()
            _, log = process.communicate(timeout=20)
    assert (process.returncode, log) == (0, b"")
