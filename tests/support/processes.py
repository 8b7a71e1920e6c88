"""Real processes for tests: the API, ``fixlip`` itself, and what runs below a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from fixlip.stack import listen

__all__ = ["alive", "children", "fixlip", "serving", "serving_process", "wait_until"]

ROOT = Path(__file__).parents[2]


def fixlip(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The outcome of ``fixlip ARGUMENTS``."""
    return subprocess.run(
        [sys.executable, "-m", "fixlip", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@contextmanager
def serving(redis_url: str, data_dir: Path, **environment: str) -> Iterator[str]:
    """URL of an API process with these settings."""
    with serving_process(redis_url, data_dir, **environment) as (url, _):
        yield url


@contextmanager
def serving_process(
    redis_url: str, data_dir: Path, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """An API process with these settings, and its URL; its log is in ``data_dir``."""
    environment = {**os.environ, "REDIS_URL": redis_url, "FIXLIP_DATA_DIR": str(data_dir), **environment}
    with listen("127.0.0.1", 0) as listener, (data_dir / "api.log").open("w") as log:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "fixlip", "serve", "--fd", str(listener.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, pass_fds=(listener.fileno(),), stdout=log, stderr=log
        )
    try:
        wait_until(lambda: _answers(url))
        yield url, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def children(pid: int) -> list[int]:
    """Ids of a process's children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether a process runs: it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool], *, within_s: float = 30.0) -> None:
    """Until ``condition()`` is true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=5).is_success
    except httpx.TransportError:
        return False
