"""The embedded stack: a private Redis, API, worker and deliverer of webhooks, as children of one process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import httpx

from fixlip._tied import tied
from fixlip.errors import ChildError, CommandError
from fixlip.redis_server import RedisServer
from worker.settings import WorkerSettings

__all__ = ["Stack", "listen"]

POLL_S: Final = 0.1
STOPPED_WITHIN_S: Final = 20.0  # on top of the grace that a worker gives its job
KILLED_WITHIN_S: Final = 5.0
LAST_LINES: Final = 15
BACKLOG: Final = 2048


class Stack:
    """Everything of the service on this machine, and nothing else than ``data`` outlives it.

    Args:
        data: directory of Redis's file, the inputs and the results; a later stack finds the jobs there.
        host: address to listen on.
        port: port to listen on, 0 for a free one.
        environment: settings for the API and the worker, on top of this process's own.
        quiet: write what the children say to ``data/logs`` rather than to standard error.
    """

    def __init__(
        self,
        data: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        self._data = data.resolve()
        self._address = (host, port)
        # One line per request is for a service in production, which `fixlip serve` is for.
        self._environment = {"FIXLIP_LOG_LEVEL": "warning", **os.environ, **(environment or {})}
        self._logs = self._data / "logs" if quiet else None
        self._redis = RedisServer(self._data / "redis")
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._grace_s = WorkerSettings().grace_s
        self._url = ""

    @property
    def url(self) -> str:
        """Where the API answers; known once the stack has started."""
        return self._url

    def start(self) -> None:
        """Start everything and wait until a worker has its models and the API says that it is ready.

        Raises:
            CommandError: a part did not start; those that did are stopped again.
        """
        try:
            with listen(*self._address) as listener:
                self._url = _url_of(listener)
                self._redis.start()
                self._spawn("api", "serve", "--fd", str(listener.fileno()), fd=listener.fileno())
            self._spawn("webhooks", "webhooks")
            self._spawn("worker", "worker")
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Block for as long as all parts run.

        Raises:
            ChildError: one of them stopped.
        """
        while True:
            self._check_children()
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop everything, Redis last; an interrupt meanwhile has the worker hand back its job at once."""
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            _end(child, within_s=self._grace_s + STOPPED_WITHIN_S)
        self._children.clear()
        self._redis.stop()

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self, name: str, *arguments: str, fd: int | None = None) -> None:
        environment = {**self._environment, "REDIS_URL": self._redis.url, "FIXLIP_DATA_DIR": str(self._data)}
        output = None
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            output = self._log(name).open("wb")
        try:
            self._children[name] = subprocess.Popen(
                tied([sys.executable, "-m", "fixlip", *arguments]),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=() if fd is None else (fd,),
                start_new_session=True,  # a terminal's Ctrl-C is for this process, which knows the right order
            )
        finally:
            if output is not None:
                output.close()

    def _wait_until_ready(self) -> None:
        # No limit of time: a worker may be downloading its model, and the person waiting can press Ctrl-C.
        with httpx.Client(base_url=self._url, timeout=5.0, trust_env=False) as client:
            while True:
                self._check_children()
                try:
                    if client.get("/readyz").is_success:
                        return
                except httpx.TransportError:
                    pass  # the API is still starting
                time.sleep(POLL_S)

    def _check_children(self) -> None:
        for name, process in {"redis-server": self._redis.process, **self._children}.items():
            if (code := process.poll()) is not None:
                raise ChildError(f"the {name} stopped with exit status {code}{self._last_words(name)}")

    def _last_words(self, name: str) -> str:
        if self._logs is None or not self._log(name).exists():
            return ""
        lines = self._log(name).read_text(errors="replace").splitlines()[-LAST_LINES:]
        return ":\n" + "\n".join(lines)

    def _log(self, name: str) -> Path:
        return (self._logs or self._data) / f"{name}.log"


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; made before the server that uses it, so that its port is known and taken.

    Raises:
        CommandError: the address is not this machine's, or something else listens there.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CommandError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def _url_of(listener: socket.socket) -> str:
    """URL by which this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # a wildcard is no address to call
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _end(process: subprocess.Popen[bytes], *, within_s: float) -> None:
    """Wait for a process that was asked to end; ask again on an interrupt, and do not wait for ever."""
    try:
        try:
            process.wait(within_s)
        except KeyboardInterrupt:
            process.terminate()
            process.wait(KILLED_WITHIN_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
