"""Long answers are compressed for clients that accept it."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MIN_BYTES", "CompressionMiddleware"]

MIN_BYTES: Final = 8_192
"""Shorter answers are not worth it: a job's record, which is read most often, is among them."""

_LEVEL: Final = 5
_REFUSAL: Final = re.compile(r"gzip[ \t]*;[ \t]*q=0(?:\.0*)?[ \t]*(?:,|$)", re.IGNORECASE)
_OF_THE_WHOLE: Final = (206, 304)
"""Statuses of answers that are never compressed themselves, but speak of one that may be."""
_COMPRESSED_ALREADY: Final = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")


class CompressionMiddleware:
    """gzip, but for pictures, tensors and streams of events, which gain nothing by it.

    A compressed answer has other bytes than the plain one, so that its ETag becomes a weak one: If-None-Match finds
    either, and no range of the one is ever joined to the other.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = GZipMiddleware(app, MIN_BYTES, _LEVEL, exclude_content_types=_COMPRESSED_ALREADY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http" and _REFUSAL.search(Headers(scope=scope).get("accept-encoding", "")):
            # Starlette looks for the word alone.
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"accept-encoding"]

        async def send_weakened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if message["status"] in _OF_THE_WHOLE:
                    headers.add_vary_header("Accept-Encoding")
                if "content-encoding" in headers and headers.get("etag", "").startswith('"'):
                    headers["etag"] = f"W/{headers['etag']}"
            await send(message)

        await self._app(scope, receive, send_weakened)
