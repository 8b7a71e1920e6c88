from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from redis import Redis

from fixlip.redis_server import RedisServer
from service.jobs.artifacts import ArtifactStore
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.queue import JobQueue
from service.jobs.records import Job, utc_now
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from tests.support.fake_encoder import CARD
from tests.support.fake_worker import fake_worker
from tests.support.jobs import PARAMS, submit, wait_for
from tests.support.processes import wait_until
from worker.main import load_encoders
from worker.models_file import ModelsFileError
from worker.settings import WorkerSettings

pytestmark = pytest.mark.slow

SLOW_ROW_S = 0.02


@pytest.fixture
def repository(connection: Redis) -> JobRepository:
    return JobRepository(connection)


@pytest.fixture
def catalogue(connection: Redis) -> Catalogue:
    return Catalogue(connection)


class TestLoading:
    FILE = """
        [[model]]
        id = "large"
        architecture = "ViT-B-23"
        weights = "openai"
        [[model]]
        id = "house"
        weights = "demo"
        precision = "bf16"
        [[model]]
        id = "other"
        weights = "demo"
    """

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "models.toml"
        path.write_text(self.FILE, encoding="utf-8")
        return path

    def test_models_by_name(self) -> None:
        (encoder,) = load_encoders(WorkerSettings(models=("demo",)))
        assert (encoder.card.id, encoder.card.precision) == ("demo", "fp32")

    def test_models_of_a_file_by_id(self, file: Path) -> None:
        encoders = load_encoders(WorkerSettings(models_file=file, models=("other", "house")))
        assert [(encoder.card.id, encoder.card.precision) for encoder in encoders] == [
            ("other", "fp32"),
            ("house", "bf16"),
        ]

    def test_all_models_of_a_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FIXLIP_MODELS", raising=False)
        with pytest.raises(ModelsFileError, match="'large', architecture: "):
            load_encoders(WorkerSettings(models_file=file))
        file.write_text(self.FILE.replace('architecture = "ViT-B-23"', "").replace("openai", "demo"), encoding="utf-8")
        encoders = load_encoders(WorkerSettings(models_file=file))
        assert [encoder.card.id for encoder in encoders] == ["large", "house", "other"]

    def test_nothing_but_the_files_ids_can_be_named(self, file: Path) -> None:
        with pytest.raises(ModelsFileError, match="it has no model 'demo', which FIXLIP_MODELS names"):
            load_encoders(WorkerSettings(models_file=file, models=("house", "demo")))

    def test_the_workers_start_stops_with_one_line(self, file: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "fixlip", "worker"],
            env={
                **os.environ,
                "FIXLIP_MODELS_FILE": str(file),
                "FIXLIP_MODELS": "",
                "REDIS_URL": "redis://127.0.0.1:1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith(f"fixlip: {file}: model 'large', architecture: ")


def enqueue(redis_url: str, connection: Redis, data_dir: Path, **changes: object) -> Job:
    queue = JobQueue(connection, JobSettings(redis_url=redis_url))
    return submit(JobRepository(connection), ArtifactStore(data_dir), queue, **changes)


def wait_for_run(repository: JobRepository, job_id: str, *, after: datetime) -> None:
    """Until the job makes progress in a run that began after an instant."""
    deadline = time.monotonic() + 30
    while (job := repository.get(job_id)).started_at is None or job.started_at < after or not job.progress.completed:
        assert time.monotonic() < deadline, f"job is {job.status} since {job.started_at}"
        time.sleep(0.02)


def test_killed_workers_job_is_run_by_the_next(
    redis_url: str, connection: Redis, repository: JobRepository, tmp_path: Path
) -> None:
    job = enqueue(redis_url, connection, tmp_path, params={**PARAMS, "budget": 512})
    with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S) as worker:
        wait_for(repository, job.id, "running")
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert repository.get(job.id).status == "running"
    with fake_worker(redis_url, tmp_path):
        assert wait_for(repository, job.id, "succeeded").error is None


def test_job_that_loses_two_workers_fails(
    redis_url: str, connection: Redis, repository: JobRepository, tmp_path: Path
) -> None:
    job = enqueue(redis_url, connection, tmp_path, params={**PARAMS, "budget": 4096})
    for _ in range(2):
        with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S) as worker:
            wait_for_run(repository, job.id, after=utc_now())
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    with fake_worker(redis_url, tmp_path):
        failed = wait_for(repository, job.id, "failed")
    assert failed.error is not None
    assert failed.error.code == "worker_lost"


def test_announced_while_alive_and_withdrawn_at_the_end(redis_url: str, catalogue: Catalogue, tmp_path: Path) -> None:
    with fake_worker(redis_url, tmp_path, heartbeat_s=0.3) as worker:
        wait_until(lambda: bool(catalogue.live_workers(CARD.id)))
        time.sleep(1.5)  # five heartbeats, longer than one announcement lasts
        assert catalogue.live_workers(CARD.id) == 1
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    assert catalogue.live_workers() == 0
    assert catalogue.cards()[CARD.id] == CARD


def test_sigterm_lets_the_job_finish(
    redis_url: str, connection: Redis, repository: JobRepository, tmp_path: Path
) -> None:
    job = enqueue(redis_url, connection, tmp_path)
    with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S) as worker:
        wait_for(repository, job.id, "running")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert repository.get(job.id).status == "succeeded"


def test_after_the_grace_the_job_is_handed_back(
    redis_url: str, connection: Redis, repository: JobRepository, tmp_path: Path
) -> None:
    job = enqueue(redis_url, connection, tmp_path, params={**PARAMS, "budget": 2048})
    with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S, grace_s=0.5) as worker:
        wait_for(repository, job.id, "running")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    assert repository.get(job.id).status == "queued"
    with fake_worker(redis_url, tmp_path):
        wait_for(repository, job.id, "succeeded")


def test_second_signal_hands_back_at_once(
    redis_url: str, connection: Redis, repository: JobRepository, tmp_path: Path
) -> None:
    job = enqueue(redis_url, connection, tmp_path, params={**PARAMS, "budget": 2048})
    with fake_worker(redis_url, tmp_path, row_s=SLOW_ROW_S, grace_s=600) as worker:
        wait_for(repository, job.id, "running")
        worker.send_signal(signal.SIGINT)
        time.sleep(0.1)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(10) == 0
    assert repository.get(job.id).status == "queued"


@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
def test_worker_outlives_redis(tmp_path: Path, busy: bool) -> None:
    with RedisServer(tmp_path / "redis") as server, connect(server.url, timeout_s=5) as connection:
        repository = JobRepository(connection)
        first = enqueue(server.url, connection, tmp_path, params={**PARAMS, "budget": 256})
        with fake_worker(server.url, tmp_path, row_s=SLOW_ROW_S) as worker:
            wait_for(repository, first.id, "running" if busy else "succeeded")
            server.process.kill()
            server.process.wait()
            time.sleep(1)
            server.start()
            wait_for(repository, first.id, "succeeded")
            second = enqueue(server.url, connection, tmp_path)
            wait_for(repository, second.id, "succeeded")
            assert worker.poll() is None


def test_worker_stops_while_redis_is_away(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        with connect(server.url, timeout_s=5) as connection, fake_worker(server.url, tmp_path) as worker:
            wait_until(lambda: bool(Catalogue(connection).live_workers()))
            server.process.kill()
            server.process.wait()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(15) == 0
        server.start()
