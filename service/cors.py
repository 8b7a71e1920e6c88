"""Web pages of other origins that may read the answers, where the operator names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["cors_options"]

_SENT: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "X-Request-Id",
    "traceparent",
    "tracestate",
)
_SHOWN: Final = (
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
_KEPT_S: Final = 600


def cors_options(origins: Sequence[str]) -> dict[str, Any]:
    """What Starlette's CORSMiddleware is to be given. No cookies: a client sends its key itself."""
    return {
        "allow_origins": origins,
        "allow_methods": ("DELETE", "GET", "POST"),
        "allow_headers": _SENT,
        "expose_headers": _SHOWN,
        "max_age": _KEPT_S,
    }
