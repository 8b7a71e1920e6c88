"""How a batch gets on, as server-sent events.

The id of an event says how the batch stood as far as the client knows once it has that event: how often it was tried
again, and how many items had been begun, had succeeded, failed and been canceled. Nothing is kept for the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from pydantic_core import to_json
from redis import RedisError
from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from service.access.required import Reader
from service.backend import Backend, BackendDep
from service.batches.views import BATCHES
from service.jobs.batches.records import Batch
from service.jobs.batches.standings import BatchStanding
from service.jobs.errors import BatchNotFoundError
from service.routers._batches import batch_json
from service.routers._responses import problems
from service.routers.events import READ_AGAIN_S, RETRY_MS, open_stream

__all__ = ["router"]

router: Final = APIRouter(prefix=f"{BATCHES}/{{batch_id}}", tags=["batches"])

_SEP: Final = "\n"
_EVENTS: Final[dict[str, Any]] = {
    "description": "`progress` with `status` and `request_counts` when one of them has changed, `completed` with the "
    "batch when it has ended. After that the stream ends; if it is asked for again, it is answered with 204.",
    "content": {
        "text/event-stream": {
            "example": "id: 0-1-2-0-0\nevent: progress\n"
            'data: {"status":"running","request_counts":{"total":6,"queued":3,"running":1,"completed":2,"failed":0,'
            '"canceled":0}}\n\n',
        }
    },
}


@router.get(
    "/events",
    operation_id="streamBatchEvents",
    summary="Follow a batch",
    response_class=Response,
    responses={
        200: _EVENTS,
        204: {"description": "The client has seen the end of the batch: there is nothing more to come."},
        **problems({404: "No batch has this id.", 503: "Redis does not answer, or too many streams are open."}),
    },
)
async def stream_batch_events(
    batch_id: str,
    who: Reader,
    backend: BackendDep,
    request: Request,
    last_event_id: Annotated[
        str | None, Header(description="Id of the last event that was received; what came after it is sent.")
    ] = None,
) -> Response:
    """How many items stand where, as it changes. With `Last-Event-ID`, what the client has not seen."""
    batch = await run_in_threadpool(backend.batches.get, batch_id, tenant=who.tenant)
    standing = BatchStanding.of(batch)
    if standing.is_final and last_event_id == _end_id(standing):
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    return open_stream(lambda: _events(batch, last_event_id, backend, request), backend)


async def _events(batch: Batch, seen: str | None, backend: Backend, request: Request) -> AsyncIterator[ServerSentEvent]:
    """What has happened to the batch since the event ``seen``, and what does until it ends or is removed."""
    yield ServerSentEvent(retry=RETRY_MS, sep=_SEP)
    standing: BatchStanding | None = BatchStanding.of(batch)
    while standing is not None:
        if _id(standing) != seen:
            data = to_json({"status": standing.status, "request_counts": standing.counts})
            yield _event("progress", data, _id(standing))
        if standing.is_final:
            ended = await _ended(batch.id, backend)
            if ended is not None and ended.status.is_final:
                yield _event("completed", batch_json(ended, request), _end_id(BatchStanding.of(ended)))
                return
            if ended is None:
                return
            standing = BatchStanding.of(ended)  # it was tried again meanwhile
            continue
        seen = _id(standing)
        try:
            standing = await backend.batch_watcher.change(batch.id, standing)
        except TimeoutError:
            return


async def _ended(batch_id: str, backend: Backend) -> Batch | None:
    """The batch, as soon as Redis tells; None where it has been removed meanwhile."""
    while True:
        try:
            return await run_in_threadpool(backend.batches.get, batch_id)
        except BatchNotFoundError:
            return None
        except RedisError:
            await asyncio.sleep(READ_AGAIN_S)


def _id(standing: BatchStanding) -> str:
    counts = standing.counts
    known = (standing.retries, counts.running, counts.completed, counts.failed, counts.canceled)
    return "-".join(map(str, known))


def _end_id(standing: BatchStanding) -> str:
    return f"{_id(standing)}-{standing.status}"


def _event(name: str, data: bytes, event_id: str) -> ServerSentEvent:
    return ServerSentEvent(data.decode(), event=name, id=event_id, sep=_SEP)
