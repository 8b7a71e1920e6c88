"""What a request prefers (RFC 7240): how long an answer may wait for the job's end."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Request

__all__ = ["MAX_WAIT_S", "PREFER", "Patience"]

MAX_WAIT_S: Final = 60

_WAIT: Final = re.compile(r'wait\s*=\s*(?:(\d{1,9})|"(\d{1,9})")\s*(?:;.*)?', re.IGNORECASE)


# Read here rather than by FastAPI, whose way of reading a header takes as long as the rest of such a request.
async def _patience_s(request: Request) -> int | None:
    """Seconds that the request prefers to wait; None where it says nothing of it, or nothing that makes sense."""
    for header in request.headers.getlist("prefer"):
        for preference in header.split(","):
            if found := _WAIT.fullmatch(preference.strip()):
                return min(int(found[1] or found[2]), MAX_WAIT_S)
    return None


Patience = Annotated[int | None, Depends(_patience_s)]
"""Seconds for which the request prefers to wait, 0 to :data:`MAX_WAIT_S`; None: it does not."""

PREFER: Final[dict[str, Any]] = {
    "name": "Prefer",
    "in": "header",
    "description": f"`wait=N` waits up to N seconds, at most {MAX_WAIT_S}, for the job's end. What cannot be "
    "understood is ignored.",
    "schema": {"type": "string"},
    "example": "wait=10",
}
"""The header in OpenAPI's words, for operations that take :data:`Patience`."""
