"""The files of a job that has succeeded. They never change."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from fixlip_core.audit.record import AuditRecord
from service.access.principal import Principal
from service.access.required import Reader
from service.backend import Backend, BackendDep
from service.jobs.evaluations import EVALUATION, JobEvaluation
from service.jobs.records import JobResult
from service.problems import ProblemError
from service.routers._files import file_response, results_of
from service.routers._responses import problems, stored

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/explanations/{explanation_id}", tags=["results"])

_NPZ: Final = "application/octet-stream"
_JSON: Final = "application/json"
_PNG: Final = "image/png"
_SVG: Final = "image/svg+xml"
_PROBLEMS: Final = problems(
    {
        404: "No job has this id, or it has no such file.",
        409: "The job has not succeeded, or not yet; `job_status` says where it stands.",
        416: "The file has no such part as `Range` asks for.",
        503: "Redis or the storage does not answer.",
    }
)


@router.get(
    "/result",
    operation_id="getExplanationResult",
    summary="Read the result",
    response_model=JobResult,
    responses={**stored("The result."), **_PROBLEMS},
)
def get_result(explanation_id: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """Tokens, values, strongest interactions, faithfulness and provenance."""
    return _file(backend, who, request, explanation_id, "result.json", _JSON)


@router.get(
    "/audit.json",
    operation_id="getAuditRecord",
    summary="Read the audit record",
    response_model=AuditRecord,
    responses={**stored("The record, as `fixlip verify` checks it."), **_PROBLEMS},
)
def get_audit_record(explanation_id: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """What the explanation was computed from, with what, and digests of all that came out, in canonical JSON.

    A job that was answered from earlier results has the record of the job that computed them.
    """
    return _file(backend, who, request, explanation_id, "audit.json", _JSON)


@router.get(
    "/evaluation.json",
    operation_id="getEvaluation",
    summary="Read the evaluation",
    response_model=JobEvaluation,
    responses={**stored("The evaluation."), **_PROBLEMS},
)
def get_evaluation(explanation_id: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """What the metrics of `evaluate` found: all scores, the insertion and deletion curves, and the subsets behind."""
    if not backend.repository.get(explanation_id, tenant=who.tenant).evaluate:
        raise ProblemError(404, "not_evaluated", "nothing was evaluated: the job was submitted without `evaluate`")
    return _file(backend, who, request, explanation_id, EVALUATION, _JSON)


@router.get(
    "/interactions.npz",
    operation_id="getInteractionsNpz",
    summary="Read the interaction tensor as npz",
    response_class=Response,
    responses={
        **stored("The explanation, exact, as `fixlip_core.Explanation.load` reads it.", media_type=_NPZ),
        **_PROBLEMS,
    },
)
def get_interactions_npz(explanation_id: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """Every value and standard error as NumPy arrays."""
    response = _file(backend, who, request, explanation_id, "interactions.npz", _NPZ)
    response.headers["Content-Disposition"] = f'attachment; filename="{explanation_id}.npz"'
    return response


@router.get(
    "/interactions.json",
    operation_id="getInteractionsJson",
    summary="Read the interactions as JSON",
    response_class=Response,
    responses={**stored("The explanation, as `shapiq.InteractionValues` loads it.", media_type=_JSON), **_PROBLEMS},
)
def get_interactions_json(explanation_id: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """Every value and standard error as JSON."""
    return _file(backend, who, request, explanation_id, "interactions.json", _JSON)


@router.get(
    "/maps/{name}.svg",
    operation_id="getMapSvg",
    summary="Read a map as SVG",
    response_class=Response,
    responses={**stored("The map.", media_type=_SVG), **_PROBLEMS},
)
def get_map_svg(explanation_id: str, name: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """The same picture as the PNG, to be drawn at any size: shapes and text, without scripts or references."""
    response = _file(backend, who, request, explanation_id, f"maps/{name}.svg", _SVG)
    # Should a browser ever show it as a page of this origin.
    response.headers["Content-Security-Policy"] = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return response


@router.get(
    "/maps/{name}.png",
    operation_id="getMapPng",
    summary="Read a map as PNG",
    response_class=Response,
    responses={**stored("The map.", media_type=_PNG), **_PROBLEMS},
)
def get_map_png(explanation_id: str, name: str, who: Reader, backend: BackendDep, request: Request) -> Response:
    """A picture of the explanation; the job's `output.maps` has the names."""
    return _file(backend, who, request, explanation_id, f"maps/{name}.png", _PNG)


def _file(backend: Backend, who: Principal, request: Request, job_id: str, name: str, media_type: str) -> Response:
    results = results_of(backend.repository.row(job_id, tenant=who.tenant))
    return file_response(backend.bundles, results, name, media_type, request)
