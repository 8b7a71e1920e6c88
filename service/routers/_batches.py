"""How a batch is answered: as it stands, or once it has ended."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request, Response
from pydantic_core import to_json
from redis import RedisError

from service.backend import Backend
from service.batches.views import BATCHES, BatchView
from service.jobs.batches.records import Batch
from service.jobs.batches.repository import BatchPage
from service.jobs.batches.standings import BatchStanding
from service.routers._jobs import PatientResponse

__all__ = ["batch_json", "batch_path", "batch_response", "batches_response"]

_ASK_AGAIN_S = "2"


def batch_response(
    batch: Batch,
    backend: Backend,
    request: Request,
    *,
    status: int = 200,
    wait_s: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The batch as it stands; where the client prefers to wait, once it has ended or the time is over.

    Args:
        batch: the batch; whoever asks may see it.
        backend: what the API stands on.
        request: what is answered.
        status: HTTP status.
        wait_s: how long the client prefers to wait.
        headers: more headers.
    """
    headers = dict(headers or {})
    if wait_s is not None:
        headers["Preference-Applied"] = f"wait={wait_s}"

    def as_it_stands(batch: Batch) -> Response:
        own = {"Cache-Control": "no-store"} | ({} if batch.status.is_final else {"Retry-After": _ASK_AGAIN_S})
        return Response(batch_json(batch, request), status, {**own, **headers}, media_type="application/json")

    def as_it_stands_now() -> Response:
        try:
            return as_it_stands(backend.batches.get(batch.id))
        except RedisError:
            return as_it_stands(batch)

    if not wait_s or batch.status.is_final:
        return as_it_stands(batch)
    standing = BatchStanding.of(batch)
    return PatientResponse(lambda: backend.batch_watcher.end(batch.id, standing, within_s=wait_s), as_it_stands_now)


def batches_response(page: BatchPage, request: Request) -> Response:
    """A page of batches, and where the next one begins."""
    items = b",".join(batch_json(batch, request) for batch in page.batches)
    content = b'{"items":[%b],"next_page_token":%b}' % (items, to_json(page.next_token))
    return Response(content, headers={"Cache-Control": "no-store"}, media_type="application/json")


def batch_json(batch: Batch, request: Request) -> bytes:
    """The batch, with its links, as clients see it."""
    return to_json(BatchView.of(batch, base=_collection_path(request)))


def batch_path(batch_id: str, request: Request) -> str:
    """Path of a batch, for whoever sent the request."""
    return f"{_collection_path(request)}/{batch_id}"


def _collection_path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}{BATCHES}"
