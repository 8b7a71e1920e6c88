"""What a page draws of a job that has succeeded, for our page and for others, and as a page in one file."""

from __future__ import annotations

from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic_core import to_json

from fixlip_core.report import render_report, report_policy
from service.access.required import Reader
from service.backend import Backend, BackendDep
from service.jobs.records import Job
from service.jobs.storage.bundle import Bundle
from service.reports import VIEW, ExplanationReport, ReportedJob, report_of
from service.routers._files import file_response, made_response, results_of
from service.routers._flags import Flag
from service.routers._responses import problems, stored
from service.views import EXPLANATIONS

__all__ = ["router"]

router: Final = APIRouter(prefix=f"{EXPLANATIONS}/{{explanation_id}}", tags=["results"])

_VERSION: Final = 1
"""To be raised by whoever changes what the same job gives."""
_HTML: Final = "text/html"
_JSON: Final = "application/json"
_PNG: Final = "image/png"
_ETAG: Final = {"ETag": {"description": "Names this report of these results.", "schema": {"type": "string"}}}
_STATUSES: Final = {
    404: "No job has this id, or its files are lost.",
    409: "The job has not succeeded, or not yet; `job_status` says where it stands.",
    503: "Redis or the storage does not answer.",
}
_SERVED_AS: Final = "; frame-ancestors 'none'; sandbox allow-downloads allow-modals allow-scripts"
"""What a report's policy cannot say in the file itself. Captions are others' words: a report is no page of ours, and
has no part in the keys that ours may have stored."""


def _made(description: str, problems: dict[int | str, dict[str, Any]], **content: Any) -> dict[int | str, Any]:
    """OpenAPI responses of what is made when it is asked for."""
    return {
        200: {"description": description, "headers": _ETAG, **content},
        304: {"description": "The copy named in If-None-Match is still good.", "headers": _ETAG},
        **problems,
    }


@router.get(
    "/report.json",
    operation_id="getReport",
    summary="Read all that is drawn",
    response_model=ExplanationReport,
    responses=_made("The report.", problems(_STATUSES | {422: "`pairs` is neither `true` nor `false`."})),
)
async def get_report(
    explanation_id: str,
    who: Reader,
    backend: BackendDep,
    request: Request,
    pairs: Annotated[Flag, Query(description="Whether values of pairs are wanted, and subsets.")] = True,
) -> Response:
    """The explanation in a form for drawing, its values as float32, with the job's evaluation and its audit record.

    The picture that the values lie over is `view.png`.
    """

    def respond() -> Response:
        job, results = _finished(backend, explanation_id, who.tenant)

        def make() -> bytes:
            return to_json(report_of(job, results, backend.bundles, pairs=pairs))

        return made_response(["json", pairs, *_named(job, results)], _JSON, request, make)

    return await to_thread.run_sync(respond, limiter=backend.report_slots)


@router.get(
    "/report.html",
    operation_id="getReportHtml",
    summary="Read the report as a page",
    response_class=Response,
    responses=_made(
        "The page.",
        problems(_STATUSES),
        content={_HTML: {"schema": {"type": "string", "contentMediaType": _HTML}}},
    ),
)
async def get_report_html(explanation_id: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """The explanation as a page in one file, with picture, evaluation and audit record, to be kept and handed on.

    It opens from the disk, asks nobody for anything, and prints.
    """
    policy = report_policy()

    def respond() -> Response:
        job, results = _finished(backend, explanation_id, who.tenant)

        def make() -> bytes:
            return render_report(report_of(job, results, backend.bundles, embed_image=True))

        return made_response(["html", policy, *_named(job, results)], _HTML, request, make)

    response = await to_thread.run_sync(respond, limiter=backend.report_slots)
    response.headers["Content-Security-Policy"] = policy + _SERVED_AS
    response.headers["Content-Disposition"] = f'inline; filename="{explanation_id}.html"'
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@router.get(
    "/view.png",
    operation_id="getViewPng",
    summary="Read what the model saw",
    response_class=Response,
    responses={
        **stored("The picture.", media_type=_PNG),
        **problems(_STATUSES | {416: "The file has no such part as `Range` asks for."}),
    },
)
def get_view_png(explanation_id: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """The part of the picture that the model saw, in the size that it saw it in: the grid of patches lies over it."""
    _, results = _finished(backend, explanation_id, who.tenant)
    return file_response(backend.bundles, results, VIEW, _PNG, request)


def _finished(backend: Backend, job_id: str, tenant: str) -> tuple[Job, Bundle]:
    """A job that has succeeded, and its files.

    Raises:
        ArtifactNotFoundError: it has none.
        JobNotFoundError: it is not there.
        ProblemError: 409, it has not succeeded.
    """
    row = backend.repository.row(job_id, tenant=tenant)
    return row.job, results_of(row)


def _named(job: Job, results: Bundle) -> list[Any]:
    return [_VERSION, ReportedJob.of(job), results.digest]
