"""The API while Redis is in trouble: it says so, soon, and goes on by itself when Redis does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient

from fixlip.redis_server import RedisServer
from fixlip_core.encoders.card import ModelCard
from service.app import create_app
from service.backend import Backend
from service.jobs.records import JobStatus
from service.settings import ServiceSettings
from tests.support.processes import wait_until

TIMEOUT_S = 0.4
CAPTION = "a red circle and a blue square"
READS = ["", "/result", "/interactions.npz", "/interactions.json", "/maps/first-order.png"]


class Api:
    """The API in this process, on a Redis of its own with one job."""

    def __init__(self, directory: Path, card: ModelCard, image_png: bytes) -> None:
        self.server = RedisServer(directory / "redis")
        self.server.start()
        self.card = card
        self._image_png = image_png
        settings = ServiceSettings(
            redis_url=self.server.url,
            data_dir=directory / "data",
            redis_timeout_s=TIMEOUT_S,
            max_budget=64,
            auth="none",
        )
        app = create_app(settings)
        self.client = TestClient(app)
        self.backend: Backend = app.state.backend
        self.backend.catalogue.announce(card.to_dict(), "w1", ttl_s=600)
        self.path = self.submit().headers["Location"]

    def submit(self) -> Any:
        return self.client.post("/v1/explanations", files={"image": self._image_png}, data={"caption": CAPTION})

    def write(self) -> list[Any]:
        """Responses of all operations that write."""
        return [self.submit(), self.client.post(f"{self.path}/cancel")]

    def read(self) -> list[Any]:
        """Responses of all operations that ask Redis and do not write."""
        paths = [self.path + part for part in READS] + ["/v1/models", "/readyz"]
        return [self.client.get(path) for path in paths]

    def close(self) -> None:
        self.client.close()
        self.backend.close()
        self.server.stop()


@pytest.fixture
def api(tmp_path: Path, card: ModelCard, image_png: bytes) -> Iterator[Api]:
    api = Api(tmp_path, card, image_png)
    yield api
    api.close()


@pytest.fixture
def admin(api: Api) -> Iterator[redis.Redis]:
    """A connection of the operator's, which is not affected by time-outs."""
    with redis.Redis.from_url(api.server.url) as connection:
        yield connection


def assert_unavailable(responses: list[Any]) -> None:
    for response in responses:
        assert response.status_code == 503, response.request.url
        assert response.headers["Content-Type"] == "application/problem+json"
        assert int(response.headers["Retry-After"]) > 0
        assert response.json()["code"] in ("redis_unavailable", "not_ready")


def assert_well(api: Api) -> None:
    """The very next requests are answered, and what was accepted before is there."""
    job = api.client.get(api.path)
    assert (job.status_code, job.json()["status"]) == (200, JobStatus.QUEUED)
    assert all(response.status_code in (200, 409) for response in api.read())
    assert [response.status_code for response in api.write()] == [202, 202]


def settle(responses: Callable[[], list[Any]]) -> tuple[list[Any], float]:
    """The responses, and the longest time that one of them took."""
    found = responses()
    return found, max(response.elapsed.total_seconds() for response in found)


@contextmanager
def stopped(api: Api, admin: redis.Redis) -> Iterator[None]:
    api.server.stop()
    yield
    api.server.start()


@contextmanager
def hanging(api: Api, admin: redis.Redis) -> Iterator[None]:
    """The kernel still takes connections."""
    os.kill(api.server.process.pid, signal.SIGSTOP)
    yield
    os.kill(api.server.process.pid, signal.SIGCONT)


@contextmanager
def writing_slowly(api: Api, admin: redis.Redis) -> Iterator[None]:
    admin.client_pause(60_000, all=False)
    yield
    admin.client_unpause()


@contextmanager
def demoted(api: Api, admin: redis.Redis) -> Iterator[None]:
    """A replica without a master, which is to answer nobody."""
    admin.config_set("replica-serve-stale-data", "no")
    admin.replicaof("127.0.0.1", "1")
    yield
    admin.replicaof("NO", "ONE")


@contextmanager
def read_only(api: Api, admin: redis.Redis) -> Iterator[None]:
    admin.replicaof("127.0.0.1", "1")
    yield
    admin.replicaof("NO", "ONE")


@contextmanager
def full(api: Api, admin: redis.Redis) -> Iterator[None]:
    admin.config_set("maxmemory", 1)
    yield
    admin.config_set("maxmemory", 0)


@contextmanager
def without_replicas(api: Api, admin: redis.Redis) -> Iterator[None]:
    admin.config_set("min-replicas-to-write", 1)
    yield
    admin.config_set("min-replicas-to-write", 0)


@contextmanager
def without_disk(api: Api, admin: redis.Redis) -> Iterator[None]:
    """Redis cannot save what it holds, and so takes no more (MISCONF)."""
    (Path(str(admin.config_get("dir")["dir"])) / "dump.rdb").mkdir()
    admin.config_set("save", "3600 1")
    admin.bgsave()
    wait_until(lambda: admin.info("persistence")["rdb_last_bgsave_status"] == "err")
    yield
    admin.config_set("save", "")


Trouble = Callable[[Api, redis.Redis], AbstractContextManager[None]]


@pytest.mark.parametrize("trouble", [stopped, hanging, demoted])
def test_a_redis_that_answers_nothing_is_told_soon_by_every_operation(
    api: Api, admin: redis.Redis, trouble: Trouble
) -> None:
    with trouble(api, admin):
        for responses in (api.write, api.read):
            found, longest_s = settle(responses)
            assert_unavailable(found)
            assert longest_s < 3 * TIMEOUT_S
        assert api.client.get("/livez").status_code == 200
        metrics = api.client.get("/metrics")
        assert (metrics.status_code, "fixlip_redis_up 0.0\n" in metrics.text) == (200, True)
        assert metrics.elapsed.total_seconds() < 3 * TIMEOUT_S
    assert_well(api)


@pytest.mark.parametrize("trouble", [read_only, full, without_replicas, without_disk, writing_slowly])
def test_a_redis_that_only_reads_is_told_by_what_would_write(
    api: Api, admin: redis.Redis, trouble: Trouble, tmp_path: Path
) -> None:
    kept = {path for path in (tmp_path / "data").rglob("*") if path.is_file()}
    with trouble(api, admin):
        found, longest_s = settle(api.write)
        assert_unavailable(found)
        assert longest_s < 3 * TIMEOUT_S
        assert api.client.get(api.path).json()["status"] == "queued"
    assert {path for path in (tmp_path / "data").rglob("*") if path.is_file()} == kept
    assert_well(api)


def test_a_running_job_cannot_be_asked_to_stop_either(api: Api, admin: redis.Redis) -> None:
    assert api.backend.repository.claim(api.path.rpartition("/")[2], "w1", ttl_s=60) is not None
    with read_only(api, admin):
        assert_unavailable([api.client.post(f"{api.path}/cancel")])

    assert api.client.post(f"{api.path}/cancel").status_code == 202


class SlowToLoad(RedisServer):
    """A server that takes its time to read its file, and is started before it has."""

    def _options(self) -> list[str]:
        return [*super()._options(), "--key-load-delay", "100"]

    def _wait_until_ready(self) -> None:
        wait_until(lambda: self._socket.exists())


def test_a_redis_that_loads_its_file_is_waited_for(api: Api, admin: redis.Redis, tmp_path: Path) -> None:
    with admin.pipeline(transaction=False) as pipe:
        for k in range(60_000):
            pipe.set(f"other:{k}", k)
        pipe.execute()
    api.server.stop()
    with SlowToLoad(tmp_path / "redis"):
        with redis.Redis.from_url(api.server.url) as probe, pytest.raises(redis.exceptions.BusyLoadingError):
            probe.get("other:1")
        assert_unavailable([api.submit(), api.client.get(api.path), api.client.get("/readyz")])
    with RedisServer(tmp_path / "redis"):
        assert_well(api)
