"""A service for clients that answers as it is told, so that it can misbehave at will."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.receiver import Received, Receiver

__all__ = ["JOB", "Reply", "ScriptedService", "events", "job", "problem"]

JOB: dict[str, Any] = {
    "id": "0" * 32,
    "status": "queued",
    "model": {"id": "fake", "revision": "sha256:0"},
    "method": "fixlip",
    "params": {"budget": 64},
    "input": {"image_sha256": "0" * 64, "caption": "a red circle"},
    "progress": {"completed": 0, "total": 0, "unit": "forward_passes"},
    "created_at": "2026-01-01T00:00:00Z",
    "urls": {"self": "/v1/explanations/0", "maps": {}, "maps_svg": {}},
    "of_a_newer_service": {"anything": 1},
}


@dataclass(frozen=True)
class Reply:
    """An answer; ``is_cut`` breaks the connection, after ``held_s``, where more was promised than the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    is_cut: bool = False
    held_s: float = 0.0


class ScriptedService:
    """Gives its replies in turn, and remembers what it was asked."""

    def __init__(self) -> None:
        self._replies: list[Reply] = []
        self._receiver = Receiver(self._reply)

    def __enter__(self) -> ScriptedService:
        self._receiver.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._receiver.__exit__(*error)

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._receiver.url("")

    @property
    def requests(self) -> list[Received]:
        """What it was asked."""
        return self._receiver.received

    def will(self, *replies: Reply) -> None:
        """Have it answer so next."""
        self._replies.extend(replies)

    def _reply(self, handler: BaseHTTPRequestHandler, _: Received) -> None:
        reply = self._replies.pop(0) if self._replies else Reply(418, b'{"detail": "the script is over"}')
        handler.send_response(reply.status)
        for name, value in {"Content-Type": reply.media_type, **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body) + reply.is_cut))
        handler.end_headers()
        handler.wfile.write(reply.body)
        handler.wfile.flush()
        time.sleep(reply.held_s)
        handler.close_connection = handler.close_connection or reply.is_cut


def job(status: str = "queued", **changes: Any) -> Reply:
    """The job as an answer."""
    return Reply(200, json.dumps({**JOB, "status": status, **changes}).encode())


def problem(status: int, code: str = "some_code", *, retry_after: str | None = None, **more: Any) -> Reply:
    """A problem document."""
    body = {"status": status, "code": code, "detail": f"told {code}", "request_id": "r1", "errors": [], **more}
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(status, json.dumps(body).encode(), headers, "application/problem+json")


def events(*texts: str, is_cut: bool = False, held_s: float = 0.0) -> Reply:
    """A stream of events, each as it is on the wire."""
    media_type = "text/event-stream; charset=utf-8"
    return Reply(200, "".join(texts).encode(), media_type=media_type, is_cut=is_cut, held_s=held_s)
