"""The service's processes, each of which can be killed, paused, stopped and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from redis import Redis, RedisError

from fixlip._tied import tied
from fixlip.redis_server import find_redis_server
from service.jobs.connection import connect
from tests.support.processes import ROOT, wait_until

__all__ = ["Part", "RedisPart", "free_port"]

STOPPED_WITHIN_S: Final = 60.0


def free_port() -> int:
    """A TCP port of this host that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Part:
    """A process that ends with this one; start it from the main thread, whose end would end it too.

    What it says goes through a pipe to ``NAME.log``, so that a limit on the size of its files spares its log.

    Args:
        name: what it is called in the log directory.
        command: program and arguments.
        environment: variables on top of this process's own.
        logs: directory of the logs.
        good_ends: exit statuses after SIGTERM that say that all is well.

    Attributes:
        was_killed: whether it ever was, while it may have been writing.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        logs: Path,
        *,
        good_ends: Collection[int] = (0,),
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self.was_killed = False
        self._command = list(command)
        self._environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
        self._good_ends = good_ends
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Id of the process that runs, or ran last."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Exit status, None as long as it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start it; what it did before is forgotten but for the log."""
        self._process = subprocess.Popen(
            tied(self._command),
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        threading.Thread(target=_drain, args=(self._process.stdout, self.log), daemon=True).start()

    def kill(self) -> None:
        """SIGKILL: it has no time for a last word."""
        self.was_killed = True
        self._signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """SIGTERM, and wait for it to leave in good order."""
        self._signal(signal.SIGTERM)
        status = self._wait()
        assert status in self._good_ends, f"{self.name} ended with {status}: {self.log.read_text()[-2000:]}"

    def pause(self) -> None:
        """SIGSTOP: it still holds all it has, and does nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: it does not know that it was away."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _wait(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.wait(STOPPED_WITHIN_S)


class RedisPart(Part):
    """A redis-server on a TCP port of its own, whose every answer to a write is on disk before it is given.

    Args:
        folder: its files, which outlive it.
        logs: directory of the logs.
    """

    def __init__(self, folder: Path, logs: Path) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        super().__init__("redis", [str(find_redis_server()), *words], {}, logs)
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it has read its file and answers."""
        super().start()
        wait_until(self._answers)

    def client(self) -> Redis:
        """A connection past every proxy, for those who look on."""
        return connect(self.url, timeout_s=5)

    def _answers(self) -> bool:
        assert self.ended is None, f"redis-server stopped: {self.log.read_text()[-500:]}"
        with self.client() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False


def python(module: str, *arguments: str) -> list[str]:
    """The command line of a module."""
    return [sys.executable, "-m", module, *arguments]


def _drain(pipe: IO[bytes], log: Path) -> None:
    with pipe, log.open("ab", buffering=0) as file:
        while chunk := os.read(pipe.fileno(), 65_536):
            file.write(chunk)
