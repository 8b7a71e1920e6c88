"""``fixlip up`` as its user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import ROOT, children


@dataclass(frozen=True)
class Up:
    """A running ``fixlip up``: its process, URL, data directory, and its children by what they are."""

    process: subprocess.Popen[str]
    url: str
    data: Path
    children: dict[str, int]


def _start(data: Path) -> Up:
    process = subprocess.Popen(
        [sys.executable, "-m", "fixlip", "up", "--data", str(data), "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "FIXLIP_HEARTBEAT_S": "0.5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = re.search(r"ready at (http://\S+)", process.stdout.readline())
    assert ready is not None, process.communicate()
    said = [process.stdout.readline() for _ in range(2)]
    assert said[-1] == f"in the browser: {ready[1]}/\n"
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in children(process.pid)}
    names = {"redis": "redis-server", "api": " serve ", "worker": "fixlip worker"}
    found = {name: pid for name, mark in names.items() for pid, command in commands.items() if mark in command}
    return Up(process, ready[1], data, found)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A ``fixlip up`` for tests that leave it as it is."""
    up = _start(tmp_path_factory.mktemp("up"))
    yield up
    _end(up.process)


@pytest.fixture
def start_up() -> Iterator[Callable[[Path], Up]]:
    """Start ``fixlip up`` on a data directory and wait until it says that it is ready."""
    with ExitStack() as exits:

        def start(data: Path) -> Up:
            up = _start(data)
            exits.callback(_end, up.process)
            return up

        yield start


def _end(process: subprocess.Popen[str]) -> None:
    """Stop with two signals, so that no job that a test left running is waited for."""
    for _ in range(2):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=3)
    process.communicate(timeout=60)
