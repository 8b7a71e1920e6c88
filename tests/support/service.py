"""A service for clients: the API and a worker with the fake encoder, as real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from fixlip.redis_server import RedisServer
from tests.support.fake_worker import fake_worker
from tests.support.processes import ROOT, fixlip, serving, wait_until

__all__ = ["Service", "delivering", "new_key", "running_service"]


@dataclass(frozen=True)
class Service:
    """A running one: where it answers, and where its Redis does."""

    url: str
    redis_url: str


@contextmanager
def running_service(data_dir: Path, **environment: str) -> Iterator[Service]:
    """A service with the fake model; with a Redis of its own, lest its worker take other tests' jobs."""
    with (
        RedisServer(data_dir / "redis") as redis_server,
        serving(redis_server.url, data_dir, **environment) as url,
        fake_worker(redis_server.url, data_dir),
    ):
        wait_until(lambda: httpx.get(f"{url}/readyz").is_success)
        yield Service(url, redis_server.url)


@contextmanager
def delivering(service: Service, **environment: str) -> Iterator[None]:
    """The service's deliverer of webhooks, until the block ends."""
    environment = {**os.environ, "REDIS_URL": service.redis_url, **environment}
    process = subprocess.Popen([sys.executable, "-m", "fixlip", "webhooks"], cwd=ROOT, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def new_key(service: Service, *scopes: str) -> str:
    """An API key of these scopes; from then on, the service is for those who have one."""
    words = [word for scope in scopes for word in ("--scope", scope)]
    made = fixlip("keys", "create", "--tenant", "tester", *words, REDIS_URL=service.redis_url)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()
