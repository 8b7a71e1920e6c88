"""Submitting an explanation, reading how it stands, and canceling it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from service.access.required import Reader, Submitter
from service.backend import BackendDep
from service.idempotency import KEY_PARAMETER, REPLAYED_HEADER, IdempotencyKey
from service.jobs.listing import MAX_PAGE_SIZE, JobFilter
from service.jobs.records import JobStatus
from service.preferences import PREFER, Patience
from service.requests import ExplanationRequestDep
from service.routers._jobs import JOB_HEADERS, job_path, job_response, jobs_response
from service.routers._responses import problems
from service.submission import submit
from service.views import EXPLANATIONS, ExplanationJob, ExplanationList

__all__ = ["router"]

router: Final = APIRouter(prefix=EXPLANATIONS, tags=["explanations"])

_CREATED_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Location": {"description": "Path of the job.", "schema": {"type": "string"}},
    REPLAYED_HEADER: {
        "description": "`true`: this request was answered before, under its `Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
    },
    **JOB_HEADERS,
}


@router.post(
    "",
    operation_id="createExplanation",
    summary="Submit an image and a caption",
    status_code=202,
    response_model=ExplanationJob,
    response_description="The job is queued.",
    responses={
        200: {
            "model": ExplanationJob,
            "description": "The job has ended already: an earlier job's results answered it, it ended while the client "
            "waited, or it was submitted before.",
            "headers": _CREATED_HEADERS,
        },
        202: {"headers": _CREATED_HEADERS},
        **problems(
            {
                400: "The body is not what its content type says, or the `Idempotency-Key` is none.",
                409: "A request with this `Idempotency-Key` is being dealt with; repeat it in a moment.",
                410: "The job of this `Idempotency-Key` has been removed.",
                413: "The body or the image has too many bytes.",
                415: "Neither of the two content types, or not an image.",
                422: "A field is not valid, or the `Idempotency-Key` was used with another request; `errors` names it.",
                503: "The queue is full, Redis or the storage does not answer, or no worker has announced a model yet.",
            }
        ),
    },
    openapi_extra={"parameters": [PREFER, KEY_PARAMETER]},
)
async def create_explanation(
    who: Submitter,  # first: nothing is read of whoever is not let in
    body: ExplanationRequestDep,
    backend: BackendDep,
    request: Request,
    key: IdempotencyKey,
    wait_s: Patience,
) -> Response:
    """Queue a job that explains why the model finds the image and the caption similar.

    The image is a file (multipart), base64 (JSON), an upload or a URL. Poll the job at `Location` until its status is
    final, or prefer to wait for that. A question that one of your jobs has answered before is answered at once.
    """

    def respond() -> Response:
        submission = submit(backend, who, body, request_id=request.state.request_id, key=key)
        headers = {"Location": job_path(submission.row.job.id, request)}
        if submission.is_replay:
            headers[REPLAYED_HEADER] = "true"
        return job_response(submission.row, backend, request, open_status=202, wait_s=wait_s, headers=headers)

    # An image that must be fetched from somewhere may take its time, and keeps no others waiting.
    slots = backend.submission_slots if body.image_url is None else None
    return await to_thread.run_sync(respond, limiter=slots)


@router.get(
    "",
    operation_id="listExplanations",
    summary="List your jobs",
    response_model=ExplanationList,
    response_description="A page of jobs, newest first.",
    responses=problems(
        {422: "A parameter is not valid, or the token is of another list.", 503: "Redis does not answer."}
    ),
)
def list_explanations(
    who: Reader,
    backend: BackendDep,
    request: Request,
    status: Annotated[JobStatus | None, Query(description="Only jobs that stand so.")] = None,
    model: Annotated[str | None, Query(description="Only jobs of the model of this id.")] = None,
    method: Annotated[str | None, Query(description="Only jobs of this method.")] = None,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE, description="Most jobs of a page.")] = 20,
    page_token: Annotated[
        str | None, Query(description="`next_page_token` of the page before; the other parameters stay as they were.")
    ] = None,
) -> Response:
    """The jobs of the tenant whose key it is. Jobs that come or go while you turn pages move no others.

    A page with filters looks at a bounded number of jobs: it may be short, or empty, and still have a
    `next_page_token`. The last page has none.
    """
    which = JobFilter(status=status, model=model, method=method)
    page = backend.listing.page(who.tenant, which, size=page_size, token=page_token)
    return jobs_response(page, backend, request)


@router.get(
    "/{explanation_id}",
    operation_id="getExplanation",
    summary="Read how a job stands",
    response_model=ExplanationJob,
    response_description="The job, a failed one too.",
    responses={
        200: {"headers": JOB_HEADERS},
        **problems({404: "No job has this id.", 503: "Redis does not answer."}),
    },
    openapi_extra={"parameters": [PREFER]},
)
async def get_explanation(
    explanation_id: str, who: Reader, backend: BackendDep, request: Request, wait_s: Patience
) -> Response:
    """The job's status, progress and, once it has succeeded, its outcome in brief. A failed job has `error`."""
    row = await backend.reader.row(explanation_id, tenant=who.tenant)
    return job_response(row, backend, request, wait_s=wait_s, estimate=await backend.reader.estimate(row))


@router.delete(
    "/{explanation_id}",
    operation_id="deleteExplanation",
    summary="Delete a job",
    status_code=204,
    response_description="The job is deleted, and its inputs and results with it.",
    responses=problems(
        {
            404: "No job has this id.",
            409: "The job has not ended yet: cancel it first; `job_status` says where it stands.",
            503: "Redis does not answer.",
        }
    ),
)
def delete_explanation(explanation_id: str, who: Submitter, backend: BackendDep) -> None:
    """Remove the job and all that is stored for it, before it expires by itself."""
    backend.repository.delete(explanation_id, tenant=who.tenant)


@router.post(
    "/{explanation_id}/cancel",
    operation_id="cancelExplanation",
    summary="Cancel a job",
    status_code=202,
    response_model=ExplanationJob,
    response_description="A queued job is canceled; a running one will be, within seconds.",
    responses={
        202: {"headers": {"Retry-After": JOB_HEADERS["Retry-After"]}},
        **problems(
            {
                404: "No job has this id.",
                409: "The job has ended already; `job_status` says how.",
                503: "Redis does not answer.",
            }
        ),
    },
)
def cancel_explanation(explanation_id: str, who: Submitter, backend: BackendDep, request: Request) -> Response:
    """Ask that the job be stopped. Asking again while it still runs changes nothing."""
    backend.repository.request_cancel(explanation_id, tenant=who.tenant, queue=backend.queue)
    row = backend.repository.row(explanation_id, tenant=who.tenant)
    return job_response(row, backend, request, final_status=202, open_status=202)
