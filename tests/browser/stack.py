"""The service that the browser sees: real Redis, real API, real worker with the demo encoder."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from fixlip.redis_server import RedisServer
from tests.faults.parts import Part, free_port
from tests.support.processes import wait_until

__all__ = ["Stack", "running_stack"]


@dataclass(frozen=True)
class Stack:
    """A running service.

    Attributes:
        url: where its API answers.
        redis_url: where its Redis does.
        data: inputs, results and logs.
        api: the process that answers, which may be killed and started again.
        worker: the process that explains.
    """

    url: str
    redis_url: str
    data: Path
    api: Part
    worker: Part

    def wait_until_it_answers(self) -> None:
        """Until the API does."""
        wait_until(lambda: _answers(f"{self.url}/livez"))


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """A service of its own, until the block ends."""
    with ExitStack() as exits:
        redis_server = exits.enter_context(RedisServer(folder / "redis"))
        settings = {
            "REDIS_URL": redis_server.url,
            "FIXLIP_DATA_DIR": str(folder),
            "FIXLIP_MODELS": "demo",
            "FIXLIP_LOG_LEVEL": "warning",
            "FIXLIP_HEARTBEAT_S": "0.5",
            "FIXLIP_MAX_IMAGE_BYTES": "1000000",
        }
        port, fixlip = free_port(), [sys.executable, "-m", "fixlip"]
        url = f"http://127.0.0.1:{port}"
        # The HTTP server ends by the very signal.
        serve = [*fixlip, "serve", "--port", str(port)]
        api = Part("api", serve, settings, folder, good_ends=(0, -signal.SIGTERM))
        worker = Part("worker", [*fixlip, "worker"], settings, folder)
        for part in (api, worker):
            exits.callback(part.kill)
            part.start()
        wait_until(lambda: _answers(f"{url}/readyz"), within_s=60)
        yield Stack(url, redis_server.url, folder, api, worker)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
