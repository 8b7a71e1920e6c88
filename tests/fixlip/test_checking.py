from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal

import pytest
import redis

from fixlip.checking import check
from fixlip.delivering import WebhookProcess
from fixlip.errors import UnhealthyError
from fixlip.sweeping import Sweeper
from service.jobs.catalogue import Catalogue
from service.jobs.settings import JobSettings
from service.webhooks.settings import WebhookSettings
from tests.support.processes import fixlip

NOBODY = "redis://127.0.0.1:9/0"
Part = Literal["worker", "sweeper", "webhooks"]
PARTS: tuple[Part, ...] = ("worker", "sweeper", "webhooks")


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> JobSettings:
    return JobSettings(redis_url=redis_url, data_dir=tmp_path)


def announce(settings: JobSettings, worker_id: str, *, ttl_s: float = 60.0) -> None:
    with redis.Redis.from_url(settings.redis_url) as client:
        Catalogue(client, settings.key_prefix).announce({"id": "demo"}, worker_id, ttl_s=ttl_s)


def test_a_worker_of_this_host_is_alive(settings: JobSettings) -> None:
    announce(settings, f"{socket.gethostname()}-17-0a1b2c3d")
    assert check("worker", settings, needs_redis=True) == f"a worker on {socket.gethostname()} is alive"


@pytest.mark.parametrize("host", ["elsewhere", "x{host}", "{host}x", "{host}-2"])
def test_workers_of_other_hosts_do_not_count(host: str, settings: JobSettings) -> None:
    announce(settings, f"{host.format(host=socket.gethostname())}-17-0a1b2c3d")
    with pytest.raises(UnhealthyError, match=f"no worker on .* a sign of life within {settings.liveness_ttl_s:g} s"):
        check("worker", settings, needs_redis=True)


def test_a_worker_that_fell_silent_is_not_alive(settings: JobSettings) -> None:
    announce(settings, f"{socket.gethostname()}-17-0a1b2c3d", ttl_s=0.0)
    with pytest.raises(UnhealthyError):
        check("worker", settings, needs_redis=False)


def test_a_sweeper_of_this_host(settings: JobSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnhealthyError, match="no sweeper on"):
        check("sweeper", settings, needs_redis=True)
    Sweeper(settings).sweep()
    assert check("sweeper", settings, needs_redis=True).startswith("a sweeper on")
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    with pytest.raises(UnhealthyError, match="no sweeper on elsewhere"):
        check("sweeper", settings, needs_redis=True)


def test_a_deliverer_of_this_host(settings: JobSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnhealthyError, match="no deliverer of webhooks on"):
        check("webhooks", settings, needs_redis=True)
    WebhookProcess(WebhookSettings(redis_url=settings.redis_url)).step()
    assert check("webhooks", settings, needs_redis=True)
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    with pytest.raises(UnhealthyError, match="no deliverer of webhooks on elsewhere"):
        check("webhooks", settings, needs_redis=True)


@pytest.mark.parametrize("part", PARTS)
def test_redis_that_does_not_answer(part: Part, tmp_path: Path) -> None:
    settings = JobSettings(redis_url=NOBODY, data_dir=tmp_path)
    with pytest.raises(UnhealthyError, match=f"nothing is known of the .*{part}, as Redis does not answer: .*refused"):
        check(part, settings, needs_redis=True)
    assert "Redis does not answer" in check(part, settings, needs_redis=False)


def test_the_command_tells_by_its_exit_status(settings: JobSettings) -> None:
    silent = fixlip("check", "worker", REDIS_URL=settings.redis_url)
    assert (silent.returncode, silent.stdout) == (1, "")
    assert silent.stderr.startswith("fixlip: no worker on")
    announce(settings, f"{socket.gethostname()}-17-0a1b2c3d")
    assert fixlip("check", "worker", REDIS_URL=settings.redis_url).returncode == 0
    assert fixlip("check", "sweeper", "--no-needs-redis", REDIS_URL=NOBODY).returncode == 0
    assert fixlip("check", "api").returncode == 2
