"""A small web server of a test's own, which says what came to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from types import TracebackType
from typing import Any

__all__ = ["Received", "Receiver", "Reply", "answer"]


@dataclass(frozen=True, slots=True)
class Received:
    """A request that came in; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Reply = Callable[[BaseHTTPRequestHandler, Received], None]
"""Writes the answer to a request."""


class Receiver:
    """Listens on a free port of this machine, in threads of this process, for as long as its context lasts.

    Args:
        reply: how to answer; by default with status 204.
        port: where to listen, to come back where one was before.
        tls: with which certificate to answer.
    """

    def __init__(self, reply: Reply | None = None, *, port: int = 0, tls: SSLContext | None = None) -> None:
        self.connections = 0
        self.received: list[Received] = []
        self._server = _Server(self, reply or (lambda handler, _: answer(handler, 204)), port)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server_address[1]
        return port

    def url(self, path: str = "/") -> str:
        """A URL that it answers."""
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """Answer a request; underscores of the headers' names are hyphens."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, receiver: Receiver, reply: Reply, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.receiver = receiver
        self.reply = reply

    def get_request(self) -> tuple[Any, Any]:
        connection = super().get_request()
        self.receiver.connections += 1
        return connection

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up early is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, body)
        self.server.receiver.received.append(received)
        self.server.reply(self, received)

    do_DELETE = _reply
    do_GET = _reply
    do_POST = _reply

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at what was received instead."""
