"""Submitting many explanations as one, reading how they stand, canceling them and trying the failed ones again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response

from service.access.required import Reader, Submitter
from service.backend import BackendDep
from service.batches.bodies import ReceivedBatch, receive
from service.batches.submission import submit_batch
from service.batches.views import BATCHES, BatchList, BatchView
from service.idempotency import KEY_PARAMETER, REPLAYED_HEADER, IdempotencyKey
from service.jobs.listing import MAX_PAGE_SIZE
from service.preferences import PREFER, Patience
from service.routers._batches import batch_path, batch_response, batches_response
from service.routers._jobs import JOB_HEADERS
from service.routers._responses import problems

__all__ = ["router"]

router: Final = APIRouter(prefix=BATCHES, tags=["batches"])

_CREATED_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Location": {"description": "Path of the batch.", "schema": {"type": "string"}},
    REPLAYED_HEADER: {
        "description": "`true`: this request was answered before, under its `Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
    },
    **JOB_HEADERS,
}


async def _received(request: Request) -> AsyncIterator[ReceivedBatch]:
    async with receive(request) as received:
        yield received


@router.post(
    "",
    operation_id="createBatch",
    summary="Submit a batch",
    status_code=202,
    response_model=BatchView,
    response_description="The batch is there; its jobs enter the queue by and by.",
    responses={
        202: {"headers": _CREATED_HEADERS},
        **problems(
            {
                400: "The body is not what its content type says, or the `Idempotency-Key` is none.",
                409: "A request with this `Idempotency-Key` is being dealt with; repeat it in a moment.",
                410: "The batch of this `Idempotency-Key` has been removed.",
                413: "The body, or a part of it, is too long.",
                415: "None of the content types.",
                422: "Items are not valid, as `errors` says; or the `Idempotency-Key` was used with another request.",
                503: "Redis or the storage does not answer, or no worker has announced a model yet.",
            }
        ),
    },
    openapi_extra={"parameters": [PREFER, KEY_PARAMETER]},
)
async def create_batch(
    who: Submitter,  # first: nothing is read of whoever is not let in
    received: Annotated[ReceivedBatch, Depends(_received)],
    backend: BackendDep,
    request: Request,
    key: IdempotencyKey,
    wait_s: Patience,
) -> Response:
    """Ask for many explanations at once: items, or pairs that are each explained by several models and methods.

    All items are checked before anything is queued; a fault names its item. The jobs of all batches together take
    turns for a few places in the queue, so that a large batch keeps no one waiting. Items that fail leave the others
    standing.
    """

    def respond() -> Response:
        submission = submit_batch(backend, who, received, request_id=request.state.request_id, key=key)
        headers = {"Location": batch_path(submission.batch.id, request)}
        if submission.is_replay:
            headers[REPLAYED_HEADER] = "true"
        return batch_response(submission.batch, backend, request, status=202, wait_s=wait_s, headers=headers)

    return await to_thread.run_sync(respond, limiter=backend.batch_slots)


@router.get(
    "",
    operation_id="listBatches",
    summary="List your batches",
    response_model=BatchList,
    response_description="A page of batches, newest first.",
    responses=problems(
        {422: "A parameter is not valid, or the token is of another list.", 503: "Redis does not answer."}
    ),
)
def list_batches(
    who: Reader,
    backend: BackendDep,
    request: Request,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most batches of a page.")] = 20,
    page_token: Annotated[str | None, Query(description="`next_page_token` of the page before.")] = None,
) -> Response:
    """The batches of the tenant whose key it is. Batches that come or go while you turn pages move no others."""
    return batches_response(backend.batches.page(who.tenant, size=page_size, token=page_token), request)


@router.get(
    "/{batch_id}",
    operation_id="getBatch",
    summary="Read how a batch stands",
    response_model=BatchView,
    response_description="The batch.",
    responses={
        200: {"headers": JOB_HEADERS},
        **problems({404: "No batch has this id.", 503: "Redis does not answer."}),
    },
    openapi_extra={"parameters": [PREFER]},
)
def get_batch(batch_id: str, who: Reader, backend: BackendDep, request: Request, wait_s: Patience) -> Response:
    """Its status, and how many of its items stand where."""
    return batch_response(backend.batches.get(batch_id, tenant=who.tenant), backend, request, wait_s=wait_s)


@router.post(
    "/{batch_id}/cancel",
    operation_id="cancelBatch",
    summary="Cancel a batch",
    status_code=202,
    response_model=BatchView,
    response_description="No more of its jobs enter the queue; those that run will be canceled within seconds.",
    responses={
        202: {"headers": {"Retry-After": JOB_HEADERS["Retry-After"]}},
        **problems({404: "No batch has this id.", 409: "The batch has ended already.", 503: "Redis does not answer."}),
    },
)
def cancel_batch(batch_id: str, who: Submitter, backend: BackendDep, request: Request) -> Response:
    """Ask that the batch be stopped; what has ended by then stays. Asking again changes nothing."""
    return batch_response(backend.batches.cancel(batch_id, tenant=who.tenant), backend, request, status=202)


@router.post(
    "/{batch_id}/retry",
    operation_id="retryBatch",
    summary="Try again what has failed",
    status_code=202,
    response_model=BatchView,
    response_description="The batch runs again.",
    responses={
        202: {"headers": {"Retry-After": JOB_HEADERS["Retry-After"]}},
        **problems(
            {
                404: "No batch has this id.",
                409: "The batch has not ended yet, or every item of it has its result.",
                503: "Redis does not answer.",
            }
        ),
    },
)
def retry_batch(batch_id: str, who: Submitter, backend: BackendDep, request: Request) -> Response:
    """Ask again for all items without a result: those that failed, expired or were canceled. Each gets a new job."""
    return batch_response(backend.batches.retry_failed(batch_id, tenant=who.tenant), backend, request, status=202)


@router.delete(
    "/{batch_id}",
    operation_id="deleteBatch",
    summary="Delete a batch",
    status_code=204,
    response_description="The batch is deleted, and its jobs and their files with it.",
    responses=problems(
        {
            404: "No batch has this id.",
            409: "The batch has not ended yet: cancel it first.",
            503: "Redis does not answer.",
        }
    ),
)
def delete_batch(batch_id: str, who: Submitter, backend: BackendDep) -> None:
    """Remove the batch and all that is stored for it, before it expires by itself."""
    backend.batches.delete(batch_id, tenant=who.tenant)
