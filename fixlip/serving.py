"""The API in this process."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn

from fixlip.memory import stay_for_good
from service.app import create_app
from service.backend import Backend

__all__ = ["serve"]

GRACE_S: Final = 5


def serve(listener: socket.socket) -> None:
    """Answer requests on a listening socket until SIGTERM or SIGINT.

    Open requests get a few seconds to finish; those that wait for a job are answered at once.
    """
    app = create_app()
    stay_for_good()
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="none",
        log_config=None,  # the service logs its requests itself, and the server's warnings in the same form
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    _Server(config, app.state.backend).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that ends the waiting for jobs before it waits for its requests."""

    def __init__(self, config: uvicorn.Config, backend: Backend) -> None:
        super().__init__(config)
        self._backend = backend

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let everybody go who waits, then end as ever."""
        self._backend.watcher.close()
        await super().shutdown(sockets)
