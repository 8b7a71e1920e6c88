"""What surrounds every request: its id, its log line, the limit of its body, and the last resort for errors."""

from __future__ import annotations

import re
import time
import uuid
from typing import Final

import structlog
from opentelemetry.trace import get_current_span
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.observability.request_metrics import PROBLEM_CODE, RequestMetrics
from service.problems import ProblemError, problem_response

__all__ = ["REQUEST_ID_HEADER", "BodyLimitMiddleware", "RequestContextMiddleware"]

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
    """Refuses a body longer than ``max_bytes``: by its announced length, or else as soon as more has come in."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_bytes(scope) > self._max_bytes:
            error = self._too_large()
            scope["state"][PROBLEM_CODE] = error.code
            response = problem_response(error, path=scope["path"], request_id=scope["state"]["request_id"])
            await response(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, counted, send)

    def _too_large(self) -> ProblemError:
        return ProblemError(
            413,
            "body_too_large",
            f"the request's body is longer than the {self._max_bytes:,} bytes that are accepted",
            headers={"Connection": "close"},
        )


def _announced_bytes(scope: Scope) -> float:
    announced = Headers(scope=scope).get("content-length", "")
    return float(announced) if announced.isdecimal() else 0
