"""What surrounds every request: its id, its log line, the limit of its body, and the last resort for errors."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import structlog
from opentelemetry.trace import get_current_span
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.observability.request_metrics import PROBLEM_CODE, RequestMetrics
from service.problems import ProblemError, problem_response

__all__ = ["REQUEST_ID_HEADER", "BodyLimitMiddleware", "HeadMiddleware", "RequestContextMiddleware"]

REQUEST_ID_HEADER: Final = "X-Request-Id"

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_log = structlog.get_logger(__name__)


class RequestContextMiddleware:
    """Gives each request an id (the client's own, if it is a plain word), echoes and logs it, and logs the outcome.

    An unexpected error is logged with its traceback and answered as a problem that tells nothing of it.

    Args:
        app: what handles the request.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, *, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._metrics.in_flight.track_inprogress():
            await self._handle(scope, receive, send)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        offered = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = offered if _REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        get_current_span().set_attribute("fixlip.request_id", request_id)
        status: int | None = None
        started_s = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                _log.info("client_disconnected", method=scope["method"], path=scope["path"])
                return
            except Exception:
                _log.exception("unexpected_error", method=scope["method"], path=scope["path"])
                if status is not None:
                    raise
                error = ProblemError(
                    500, "internal_error", "an unexpected error; the logs have it under the request id"
                )
                scope["state"][PROBLEM_CODE] = error.code
                response = problem_response(error, path=scope["path"], request_id=request_id)
                await response(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - started_s
                self._metrics.count(scope, status, seconds)
            duration_ms = round(1000 * seconds, 1)
            _log.info("request", method=scope["method"], path=scope["path"], status=status, duration_ms=duration_ms)


class BodyLimitMiddleware:
    """Refuses a body that is too long: by its announced length, or else as soon as more has come in.

    Args:
        app: what handles the request.
        max_bytes: longest body.
        max_bytes_at: longest body by path, where it is another.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_bytes_at: Mapping[str, int] = MappingProxyType({})) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_bytes_at = max_bytes_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        max_bytes = self._max_bytes_at.get(path, self._max_bytes)
        if _announced_bytes(scope) > max_bytes:
            error = _too_large(max_bytes)
            scope["state"][PROBLEM_CODE] = error.code
            response = problem_response(error, path=scope["path"], request_id=scope["state"]["request_id"])
            await response(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise _too_large(max_bytes)
            return message

        await self._app(scope, counted, send)


class HeadMiddleware:
    """Answers HEAD like GET, without the body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def receive_until_begun() -> Message:
            # A stream that has no end learns so that nobody reads on.
            return {"type": "http.disconnect"} if has_begun else await receive()

        async def send_without_body(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET"}, receive_until_begun, send_without_body)


def _too_large(max_bytes: int) -> ProblemError:
    return ProblemError(
        413,
        "body_too_large",
        f"the request's body is longer than the {max_bytes:,} bytes that are accepted",
        headers={"Connection": "close"},
    )


def _announced_bytes(scope: Scope) -> float:
    announced = Headers(scope=scope).get("content-length", "")
    return float(announced) if announced.isdecimal() else 0
