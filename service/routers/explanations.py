"""Submitting an explanation, reading how it stands, and canceling it."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from service.access.required import Reader, Submitter
from service.backend import BackendDep
from service.documents import EXPLANATION_REQUEST_BODY
from service.jobs.records import Job
from service.requests import ExplanationRequestDep
from service.routers._responses import problems
from service.submission import submit
from service.views import ExplanationJob

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/explanations", tags=["explanations"])

_POLL_AFTER_S: Final = "1"
_RETRY_AFTER: Final[dict[str, Any]] = {
    "description": "Seconds until it is worth asking.",
    "schema": {"type": "integer"},
}
_LOCATION: Final[dict[str, Any]] = {"description": "Path of the job.", "schema": {"type": "string"}}


def _collection_path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}{router.prefix}"


@router.post(
    "",
    operation_id="createExplanation",
    summary="Submit an image and a caption",
    status_code=202,
    response_description="The job is queued.",
    responses={
        202: {"headers": {"Location": _LOCATION, "Retry-After": _RETRY_AFTER}},
        **problems(
            {
                400: "The body is not what its content type says.",
                413: "The body or the image has too many bytes.",
                415: "Neither of the two content types, or not an image.",
                422: "A field is not valid; `errors` names it.",
                503: "Redis or the storage does not answer, or no worker has announced a model yet.",
            }
        ),
    },
    openapi_extra={"requestBody": EXPLANATION_REQUEST_BODY},
)
def create_explanation(
    body: ExplanationRequestDep, who: Submitter, backend: BackendDep, request: Request, response: Response
) -> ExplanationJob:
    """Queue a job that explains why the model finds the image and the caption similar.

    The image is a file (multipart) or base64 (JSON). Poll the job at `Location` until its status is final.
    """
    job = _shown(submit(backend, who, body), request, response)
    response.headers["Location"] = job.urls.self
    return job


@router.get(
    "/{explanation_id}",
    operation_id="getExplanation",
    summary="Read how a job stands",
    response_description="The job, a failed one too.",
    responses={
        200: {"headers": {"Retry-After": _RETRY_AFTER}},
        **problems({404: "No job has this id.", 503: "Redis does not answer."}),
    },
)
def get_explanation(
    explanation_id: str, who: Reader, backend: BackendDep, request: Request, response: Response
) -> ExplanationJob:
    """The job's status, progress and, once it has succeeded, its outcome in brief. A failed job has `error`."""
    return _shown(backend.repository.get(explanation_id, tenant=who.tenant), request, response)


@router.post(
    "/{explanation_id}/cancel",
    operation_id="cancelExplanation",
    summary="Cancel a job",
    status_code=202,
    response_description="A queued job is canceled; a running one will be, within seconds.",
    responses={
        202: {"headers": {"Retry-After": _RETRY_AFTER}},
        **problems(
            {
                404: "No job has this id.",
                409: "The job has ended already; `job_status` says how.",
                503: "Redis does not answer.",
            }
        ),
    },
)
def cancel_explanation(
    explanation_id: str, who: Submitter, backend: BackendDep, request: Request, response: Response
) -> ExplanationJob:
    """Ask that the job be stopped. Asking again while it still runs changes nothing."""
    job = backend.repository.request_cancel(explanation_id, tenant=who.tenant, queue=backend.queue)
    return _shown(job, request, response)


def _shown(job: Job, request: Request, response: Response) -> ExplanationJob:
    """The job as it stands, and when to ask for it again."""
    response.headers["Cache-Control"] = "no-store"
    if not job.status.is_terminal:
        response.headers["Retry-After"] = _POLL_AFTER_S
    return ExplanationJob.of(job, base=_collection_path(request))
