"""How a job is answered: as it stands, or once it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic_core import to_json
from redis import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from service.backend import Backend
from service.jobs._rows import Row
from service.jobs.estimates import UNKNOWN, Estimate
from service.jobs.listing import JobPage
from service.jobs.records import Job
from service.jobs.standings import Standing
from service.views import EXPLANATIONS, ExplanationJob

__all__ = ["JOB_HEADERS", "PatientResponse", "job_json", "job_path", "job_response", "jobs_response"]

JOB_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Retry-After": {"description": "Seconds until it is worth asking.", "schema": {"type": "integer"}},
    "Preference-Applied": {"description": "What of `Prefer` was honoured.", "schema": {"type": "string"}},
}
"""Headers of an answered job, in OpenAPI's words."""


def job_response(
    row: Row,
    backend: Backend,
    request: Request,
    *,
    open_status: int = 200,
    final_status: int = 200,
    wait_s: int | None = None,
    headers: Mapping[str, str] | None = None,
    estimate: Estimate | None = None,
) -> Response:
    """The job as it stands; where the client prefers to wait, once it has ended or the time is over.

    Args:
        row: the job; whoever asks may see it.
        backend: what the API stands on.
        request: what is answered.
        open_status: HTTP status for a job that has not ended.
        final_status: HTTP status for one that has.
        wait_s: how long the client prefers to wait.
        headers: more headers.
        estimate: what may be said of its future, if the caller knows; else Redis may be asked.
    """
    headers = dict(headers or {})
    if wait_s is not None:
        headers["Preference-Applied"] = f"wait={wait_s}"

    def as_it_stands(row: Row, estimate: Estimate | None = None) -> Response:
        own, is_final = {"Cache-Control": "no-store"}, row.job.status.is_terminal
        estimate = estimate or _estimate(row, backend)
        if not is_final:
            own["Retry-After"] = str(estimate.poll_after_s)
        status = final_status if is_final else open_status
        content = job_json(row.job, request, estimate)
        return Response(content, status, {**own, **headers}, media_type="application/json")

    def as_it_stands_now() -> Response:
        try:
            return as_it_stands(backend.repository.row(row.job.id))
        except RedisError:
            return as_it_stands(row)

    job = row.job
    if not wait_s or job.status.is_terminal:
        return as_it_stands(row, estimate)
    return PatientResponse(lambda: backend.watcher.end(job.id, Standing.of(job), within_s=wait_s), as_it_stands_now)


def jobs_response(page: JobPage, backend: Backend, request: Request) -> Response:
    """A page of jobs, and where the next one begins."""
    items = b",".join(job_json(row.job, request, _estimate(row, backend)) for row in page.rows)
    content = b'{"items":[%b],"next_page_token":%b}' % (items, to_json(page.next_token))
    return Response(content, headers={"Cache-Control": "no-store"}, media_type="application/json")


def job_json(job: Job, request: Request, estimate: Estimate = UNKNOWN) -> bytes:
    """The job, with its links and what may be said of its future, as clients see it."""
    return to_json(ExplanationJob.of(job, base=_collection_path(request), estimate=estimate))


def job_path(job_id: str, request: Request) -> str:
    """Path of a job, for whoever sent the request."""
    return f"{_collection_path(request)}/{job_id}"


def _estimate(row: Row, backend: Backend) -> Estimate:
    """What may be said of the job's future: nothing, where Redis does not tell."""
    try:
        return backend.estimator.of(row)
    except RedisError:
        return UNKNOWN


def _collection_path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}{EXPLANATIONS}"


class PatientResponse(Response):
    """A response that waits before it is made.

    It does so after the request was dealt with, so that neither a thread nor the request's body is kept meanwhile.
    """

    def __init__(self, wait: Callable[[], Awaitable[None]], make: Callable[[], Response]) -> None:
        super().__init__()
        self._wait = wait
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        waiting = asyncio.ensure_future(self._wait())
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                leaving.result()  # what is wrong with what else the client sends
                raise ClientDisconnect
            await waiting
        finally:
            waiting.cancel()
            leaving.cancel()
        response = await run_in_threadpool(self._make)
        await response(scope, receive, send)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
