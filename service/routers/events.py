"""The progress of a job as it happens, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from threading import BoundedSemaphore
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from redis import RedisError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from service.access.required import Reader
from service.backend import Backend, BackendDep
from service.events import Seen, completed, news
from service.jobs.errors import JobNotFoundError
from service.jobs.records import Job
from service.jobs.standings import Standing
from service.problems import ProblemError
from service.routers._jobs import job_json
from service.routers._responses import problems
from service.views import EXPLANATIONS

__all__ = ["READ_AGAIN_S", "RETRY_MS", "open_stream", "router"]

router: Final = APIRouter(prefix=f"{EXPLANATIONS}/{{explanation_id}}", tags=["explanations"])

RETRY_MS: Final = 2000
_KEEP_ALIVE_S: Final = 15
_SEND_WITHIN_S: Final = 30.0
READ_AGAIN_S: Final = 1.0
_FAREWELL_S: Final = 2.0  # for the watcher to let the stream go, so that it ends in due form
_EVENTS: Final[dict[str, Any]] = {
    "description": "`start` each time that the job is begun, `progress` when passes were done, `completed` with the "
    "job, whichever way it ended. After that the stream ends; if it is asked for again, it is answered with 204.",
    "content": {
        "text/event-stream": {
            "example": 'id: 1\nevent: start\ndata: {"attempt":1}\n\n'
            'id: 1-128-514\nevent: progress\ndata: {"completed":128,"total":514,"unit":"forward_passes"}\n\n',
        }
    },
}


@router.get(
    "/events",
    operation_id="streamExplanationEvents",
    summary="Follow a job",
    response_class=Response,
    responses={
        200: _EVENTS,
        204: {"description": "The client has seen the end of the job: there is nothing more to come."},
        **problems({404: "No job has this id.", 503: "Redis does not answer, or too many streams are open."}),
    },
)
async def stream_events(
    explanation_id: str,
    who: Reader,
    backend: BackendDep,
    request: Request,
    last_event_id: Annotated[
        str | None, Header(description="Id of the last event that was received; what came after it is sent.")
    ] = None,
) -> Response:
    """What happens to the job, as it happens. With `Last-Event-ID`, what the client has not seen."""
    job = await run_in_threadpool(backend.repository.get, explanation_id, tenant=who.tenant)
    seen = Seen.of(last_event_id)
    if seen.is_over and job.status.is_terminal:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    return open_stream(lambda: _events(job, seen, backend, request), backend)


def open_stream(events: Callable[[], AsyncIterator[ServerSentEvent]], backend: Backend) -> Response:
    """The answer that sends events as they come.

    Raises:
        ProblemError: as many streams are open as may be.
    """
    if not backend.stream_slots.acquire(blocking=False):
        limit = backend.settings.max_streams
        raise ProblemError(503, "too_many_streams", f"{limit} streams are open already; poll the job, or try later")
    return _Stream(events(), backend.stream_slots)


class _Stream(EventSourceResponse):
    """A stream that gives its slot back, however it ends."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], slots: BoundedSemaphore) -> None:
        super().__init__(
            events,
            ping=_KEEP_ALIVE_S,
            sep="\n",
            send_timeout=_SEND_WITHIN_S,
            shutdown_grace_period=_FAREWELL_S,
        )
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._slots.release()


async def _events(job: Job, seen: Seen, backend: Backend, request: Request) -> AsyncIterator[ServerSentEvent]:
    """What has happened to the job since ``seen``, and what happens to it until it ends or is removed."""
    yield ServerSentEvent(retry=RETRY_MS, sep="\n")
    standing: Standing | None = Standing.of(job)
    while standing is not None:
        events, seen = news(seen, standing)
        for event in events:
            yield event
        if standing.status.is_terminal:
            body = await _final_body(job.id, backend, request)
            if body is not None:
                yield completed(standing, body)
            return
        try:
            standing = await backend.watcher.change(job.id, standing)
        except TimeoutError:
            return


async def _final_body(job_id: str, backend: Backend, request: Request) -> bytes | None:
    """The job as clients see it, as soon as Redis tells; None where it has been removed meanwhile."""

    def read() -> bytes:
        return job_json(backend.repository.get(job_id), request)

    while True:
        try:
            return await run_in_threadpool(read)
        except JobNotFoundError:
            return None
        except RedisError:
            await asyncio.sleep(READ_AGAIN_S)
