"""The API in this process."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn

__all__ = ["serve"]

GRACE_S: Final = 5


def serve(listener: socket.socket) -> None:
    """Answer requests on a listening socket until SIGTERM or SIGINT; open requests get a few seconds to finish."""
    config = uvicorn.Config(
        "service.app:create_app",
        factory=True,
        log_level="warning",
        access_log=False,  # the service logs its requests itself
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])
