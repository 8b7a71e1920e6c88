"""A service for clients: the API and a worker with the fake encoder, as real processes."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from fixlip.redis_server import RedisServer
from tests.support.fake_worker import fake_worker
from tests.support.processes import serving, wait_until


@pytest.fixture(scope="session")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a service with the fake model; with a Redis of its own, lest its worker take other tests' jobs."""
    data_dir = tmp_path_factory.mktemp("service")
    with (
        RedisServer(data_dir / "redis") as redis_server,
        serving(redis_server.url, data_dir) as url,
        fake_worker(redis_server.url, data_dir),
    ):
        wait_until(lambda: httpx.get(f"{url}/readyz").is_success)
        yield url
