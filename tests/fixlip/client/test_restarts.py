"""The service goes and comes back while a client is at it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixlip.client import Job
from fixlip.redis_server import RedisServer
from fixlip.stack import listen
from tests.fixlip.client.conftest import Connect
from tests.support.fake_worker import fake_worker
from tests.support.jobs import PARAMS, png
from tests.support.processes import ROOT, wait_until

ROW_S = 0.01
SLOW = {**PARAMS, "budget": 192, "text_passes": 16}


class Api:
    """An API process that can be killed and started again where it was."""

    def __init__(self, environment: dict[str, str]) -> None:
        with listen("127.0.0.1", 0) as listener:
            self._port = listener.getsockname()[1]
        self._environment = environment
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()
        wait_until(self._is_ready)

    def start(self) -> None:
        command = [sys.executable, "-m", "fixlip", "serve", "--port", str(self._port)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Of a service whose worker takes its time."""
    data_dir: Path = tmp_path_factory.mktemp("service")
    with RedisServer(data_dir / "redis") as redis_server, fake_worker(redis_server.url, data_dir, row_s=ROW_S):
        environment = {"REDIS_URL": redis_server.url, "FIXLIP_DATA_DIR": str(data_dir), "FIXLIP_LOG_LEVEL": "error"}
        api = Api({**os.environ, **environment})
        yield api
        api.kill()


@pytest.mark.slow
def test_a_stream_goes_on_where_it_broke(api: Api, connect: Connect) -> None:
    client = connect(api.url)
    states: list[Job] = []
    for state in client.follow(client.submit(image=png(), caption="a red circle", params=SLOW, cache="bypass")):
        if len(states) < 3 and state.progress.completed and not state.is_final:
            api.kill()
            api.start()
        states.append(state)
    assert states[-1].has_succeeded
    done = [state.progress.completed for state in states]
    assert done == sorted(done)
    assert len(set(done)) >= 3


@pytest.mark.slow
def test_a_submission_waits_until_the_service_is_back(api: Api, connect: Connect) -> None:
    client = connect(api.url)
    api.kill()
    api.start()  # which answers in a second or so
    assert client.explain(image=png(), caption="a red circle", params=PARAMS).result.tokens[-1] == "circle"
