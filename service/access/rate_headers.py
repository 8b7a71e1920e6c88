"""Where a tenant stands with its quotas, in the words of the IETF's draft on RateLimit headers."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.windows import Standing

__all__ = ["RATE_HEADERS", "RateHeadersMiddleware", "rate_headers"]

RATE_HEADERS: Final = "rate_headers"
"""Where a request's state has the headers that its response is to bear."""


def rate_headers(standing: Standing) -> dict[str, str]:
    """``RateLimit-Policy``, what there is for each window, and ``RateLimit``, what is left of this one."""
    return {
        "RateLimit-Policy": f'"{standing.quota}";q={standing.limit};w={standing.window_s}',
        "RateLimit": f'"{standing.quota}";r={standing.remaining};t={standing.resets_in_s}',
    }


class RateHeadersMiddleware:
    """Puts the headers on every response to a tenant whose requests are limited, on errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and RATE_HEADERS in scope["state"]:
                headers = MutableHeaders(scope=message)
                for name, value in scope["state"][RATE_HEADERS].items():
                    headers.append(name, value)  # both are lists: an error may tell of another quota
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
