"""A TCP proxy that can do to a connection what a network does: cut it, hold it, slow it down."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final

__all__ = ["Proxy"]

CHUNK_BYTES: Final = 65_536


class Proxy:
    """Forwards a port of this host to another.

    Args:
        target_port: where connections are forwarded to.
    """

    def __init__(self, target_port: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._cut = False
        self._delay_s = 0.0
        self._ended = threading.Event()
        self.address: tuple[str, int] = self._listener.getsockname()
        self.url = "redis://{}:{}/0".format(*self.address)

    def cut(self) -> None:
        """End every connection and refuse new ones, as a host that is there with its service gone."""
        with self._lock:
            self._cut = True
            doomed, self._open = self._open, set()
        for connection in doomed:
            _close(connection)

    def hold(self) -> None:
        """Lose every packet: nobody is told anything, and what was sent arrives late, after :meth:`heal`."""
        self._flows.clear()

    def slow(self, delay_s: float) -> None:
        """Let every packet take this much longer."""
        self._delay_s = delay_s

    def heal(self) -> None:
        """Work again."""
        self._cut = False
        self._delay_s = 0.0
        self._flows.set()

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._flows.set()
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._target, timeout=5)
        except OSError:
            _close(near)
            return
        far.settimeout(None)
        with self._lock:
            refused = self._cut
            if not refused:
                self._open |= {near, far}
        if refused:
            _close(near)
            _close(far)
            return
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                self._ended.wait(self._delay_s)
                self._flows.wait()
                sink.sendall(data)
        for connection in (source, sink):
            _close(connection)
            with self._lock:
                self._open.discard(connection)


def _close(connection: socket.socket) -> None:
    """Close it, and wake those who wait for it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
