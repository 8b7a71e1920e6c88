"""A Redis that can fail over: a master, a replica and a sentinel that watches them, as real processes."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from fixlip.redis_server import find_redis_server
from fixlip.stack import listen
from tests.support.processes import wait_until

__all__ = ["PASSWORD", "RedisGroup"]

HOST = "127.0.0.1"
PASSWORD = "p:a/s@s"


class RedisGroup:
    """Ports of what runs, by role at the start; a failover swaps the roles of the first two."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        with ExitStack() as taken:  # all three at once, so that they differ
            ports = [taken.enter_context(listen(HOST, 0)).getsockname()[1] for _ in range(3)]
        self.master, self.replica, self.sentinel = ports

    def __enter__(self) -> Self:
        self._serve(self.master)
        self._serve(self.replica, "--replicaof", f"{HOST} {self.master}")
        wait_until(lambda: self.at(self.replica).info("replication")["master_link_status"] == "up")
        self._watch()
        with suppress(redis.ResponseError):  # before version 7, it is not to be hurried: all takes 10 s longer
            self.at(self.sentinel).execute_command("SENTINEL", "DEBUG", "info-period", "100", "publish-period", "100")
        wait_until(lambda: self._named_by_the_sentinel("slaves") == 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for port in tuple(self._processes):
            self.kill(port)

    def at(self, port: int) -> redis.Redis:
        """A client of the one on ``port``, whatever its role."""
        return redis.Redis(HOST, port, password=None if port == self.sentinel else PASSWORD, decode_responses=True)

    def kill(self, port: int) -> None:
        """End a process as a power cut would."""
        process = self._processes.pop(port)
        process.kill()
        process.wait()

    def swap(self) -> None:
        """Make the replica the master and the master its replica; both go on."""
        self.at(self.replica).replicaof("NO", "ONE")
        self.at(self.master).replicaof(HOST, self.replica)

    def _serve(self, port: int, *options: str) -> None:
        directory = self._directory / f"{port}"
        directory.mkdir()
        command = [find_redis_server(), "--port", str(port), "--bind", HOST, "--save", "", "--dir", directory]
        secret = ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]
        self._start(port, [*map(str, command), *secret, *options])

    def _watch(self) -> None:
        config = self._directory / "sentinel.conf"
        config.write_text(
            f'port {self.sentinel}\nbind {HOST}\ndir "{self._directory}"\n'
            f"sentinel monitor main {HOST} {self.master} 1\nsentinel auth-pass main {PASSWORD}\n"
            "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
        )
        self._start(self.sentinel, [str(find_redis_server()), str(config), "--sentinel"])

    def _start(self, port: int, command: list[str]) -> None:
        with (self._directory / f"{port}.log").open("wb") as log:
            self._processes[port] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: self._answers(port))

    def _answers(self, port: int) -> bool:
        try:
            return bool(self.at(port).ping())
        except redis.RedisError:
            return False

    def _named_by_the_sentinel(self, role: str) -> int:
        return len(self.at(self.sentinel).execute_command("SENTINEL", role, "main"))
