"""The API in this process."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fixlip.memory import stay_for_good
from service.app import create_app
from service.backend import Backend

__all__ = ["BoundedHttp", "serve"]

GRACE_S: Final = 5
MAX_HEAD_BYTES: Final = 65_536


def serve(listener: socket.socket) -> None:
    """Answer requests on a listening socket until SIGTERM or SIGINT.

    Open requests get a few seconds to finish; those that wait for a job are answered at once.
    """
    app = create_app()
    stay_for_good()
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        loop="uvloop",
        ws="none",
        log_config=None,  # the service logs its requests itself, and the server's warnings in the same form
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    _Server(config, app.state.backend).run(sockets=[listener])


class BoundedHttp(HttpToolsProtocol):
    """HTTP without heads or trailers that go on for ever: the parser keeps whatever comes, from whomever."""

    _has_advanced = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Read on, unless nothing but head, or trailer, has come for too long."""
        self._has_advanced = False
        super().data_received(data)
        self._head_bytes = 0 if self._has_advanced else self._head_bytes + len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request may have {MAX_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._has_advanced = True
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Some of its body has come, of which the service itself keeps the measure."""
        self._has_advanced = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It ends."""
        self._has_advanced = True
        super().on_message_complete()


class _Server(uvicorn.Server):
    """A server that ends the waiting for jobs before it waits for its requests."""

    def __init__(self, config: uvicorn.Config, backend: Backend) -> None:
        super().__init__(config)
        self._backend = backend

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let everybody go who waits, then end as ever."""
        self._backend.watcher.close()
        self._backend.batch_watcher.close()
        await super().shutdown(sockets)
