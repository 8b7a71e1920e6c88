"""The real service for a measurement: a private Redis, the API and any number of worker processes, all visible."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from redis import Redis

from benchmarks.processes import Usage, usage_of
from fixlip._tied import tied
from fixlip.redis_server import RedisServer
from fixlip.stack import listen
from service.jobs.catalogue import Catalogue

__all__ = ["Deployment", "deploy"]

READY_WITHIN_S: Final = 300.0
STOPPED_WITHIN_S: Final = 60.0
POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Deployment:
    """A service that runs.

    Attributes:
        http: client of the API.
        redis: client of its Redis.
        data: directory of inputs, results and logs.
        pids: process ids of ``redis``, ``api``, ``worker 1``, ...
    """

    http: httpx.Client
    redis: Redis
    data: Path
    pids: Mapping[str, int]

    def usage(self) -> dict[str, Usage]:
        """What each part uses now, its children included."""
        return {name: usage_of(pid) for name, pid in self.pids.items()}


@contextmanager
def deploy(
    environment: Mapping[str, str] | None = None, *, workers: Sequence[Mapping[str, str]] = ({},)
) -> Iterator[Deployment]:
    """Run the service in a directory of its own until the block is left.

    Args:
        environment: settings of all parts.
        workers: settings of each worker process, on top of those.

    Raises:
        RuntimeError: a part ended, or not all workers were ready in time; its last words are in the message.
    """
    with ExitStack() as exits:
        data = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="fixlip-benchmark-")))
        server = exits.enter_context(RedisServer(data / "redis"))
        settings = {
            "FIXLIP_MODELS": "demo",
            "FIXLIP_MODELS_FILE": "",
            "FIXLIP_LOG_LEVEL": "warning",
            **os.environ,
            **(environment or {}),
            "REDIS_URL": server.url,
            "FIXLIP_DATA_DIR": str(data),
        }
        children: dict[str, subprocess.Popen[bytes]] = {}
        exits.callback(_stop, children)
        with listen("127.0.0.1", 0) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            children["api"] = _start("api", ["serve", "--fd", str(listener.fileno())], settings, fd=listener.fileno())
        for number, own in enumerate(workers, 1):
            children[f"worker {number}"] = _start(f"worker-{number}", ["worker"], {**settings, **own})
        http = exits.enter_context(httpx.Client(base_url=url, timeout=60.0, trust_env=False))
        redis = exits.enter_context(Redis.from_url(server.url))
        _wait_until_ready(children, data, http, Catalogue(redis), len(workers))
        pids = {"redis": server.process.pid, **{name: child.pid for name, child in children.items()}}
        yield Deployment(http, redis, data, pids)


def _start(
    name: str, arguments: Sequence[str], settings: Mapping[str, str], *, fd: int | None = None
) -> subprocess.Popen[bytes]:
    with (Path(settings["FIXLIP_DATA_DIR"]) / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            tied([sys.executable, "-m", "fixlip", *arguments]),
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=() if fd is None else (fd,),
            start_new_session=True,  # a terminal's Ctrl-C is for this process, which stops them in order
        )


def _wait_until_ready(
    children: Mapping[str, subprocess.Popen[bytes]], data: Path, http: httpx.Client, catalogue: Catalogue, workers: int
) -> None:
    deadline, ready = time.monotonic() + READY_WITHIN_S, "/readyz" if workers else "/livez"
    while time.monotonic() < deadline:
        for name, child in children.items():
            if child.poll() is not None:
                last = (data / f"{name.replace(' ', '-')}.log").read_text(errors="replace").splitlines()[-15:]
                raise RuntimeError(f"the {name} ended: " + "\n".join(last))
        try:
            if catalogue.live_workers() >= workers and http.get(ready).is_success:
                return
        except httpx.TransportError:
            pass  # the API is still starting
        time.sleep(POLL_S)
    raise RuntimeError(f"the service was not ready within {READY_WITHIN_S:.0f} s")


def _stop(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        child.terminate()
    for child in children.values():
        try:
            child.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
