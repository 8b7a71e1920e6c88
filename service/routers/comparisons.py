"""Explanations of one pair compared: as numbers, and as a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import APIRouter, Query, Request, Response
from pydantic_core import to_json

from service.access.required import Reader
from service.backend import Backend, BackendDep
from service.comparing import check_same_pair
from service.comparison_views import ExplanationComparisonView
from service.jobs._rows import Row
from service.routers._files import made_response, results_of
from service.routers._responses import problems

__all__ = ["router"]

_COLLECTION: Final = "/v1/comparisons"
router: Final = APIRouter(prefix=_COLLECTION, tags=["comparisons"])

_VERSION: Final = 2
"""To be raised by whoever changes what the same explanations give."""
_JSON: Final = "application/json"
_PNG: Final = "image/png"
_SVG: Final = "image/svg+xml"
_ETAG: Final = {"ETag": {"description": "Names this comparison of these results.", "schema": {"type": "string"}}}
_PROBLEMS: Final = problems(
    {
        404: "One of the ids is no job of yours; `detail` says which.",
        409: "One of the jobs has not succeeded, or not yet; `detail` says which.",
        422: "The ids are not two to eight, or the jobs are not of the same image and caption.",
        503: "Redis or the storage does not answer, or too many comparisons are being made.",
    }
)
_Explanations: TypeAlias = Annotated[
    str,
    Query(
        description="Ids of two to eight jobs that have succeeded, separated by commas; differences are from the "
        "first.",
        pattern=r"^[0-9a-f]{32}(,[0-9a-f]{32}){1,7}$",
        examples=["0f8b6a5d4c3e4f1a9b2c7d6e5f4a3b2c,1f8b6a5d4c3e4f1a9b2c7d6e5f4a3b2c"],
    ),
]


def _answers(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses; those of JSON have their schema from the response model."""
    schema = {"type": "string", "contentMediaType": media_type}
    content = {} if media_type == _JSON else {"content": {media_type: {"schema": schema}}}
    return {
        200: {"description": description, "headers": _ETAG, **content},
        304: {"description": "The copy named in If-None-Match is still good.", "headers": _ETAG},
        **_PROBLEMS,
    }


@router.get(
    "",
    operation_id="getComparison",
    summary="Compare explanations",
    response_model=ExplanationComparisonView,
    responses=_answers(_JSON, "The comparison."),
)
def get_comparison(
    explanations: _Explanations,
    who: Reader,
    backend: BackendDep,
    request: Request,
    include: Annotated[
        Literal["pairs"] | None, Query(description="`pairs`: with the values of all cross-modal pairs.")
    ] = None,
) -> Response:
    """Explanations of the same image and caption, by two or more models or methods, on players that they share.

    Players that are the same stay as they are. Else patches are resampled by area to the coarsest grid over what all
    models saw, and tokens are summed to words; `notes` says so.
    """
    rows = _rows(backend, who.tenant, explanations)
    base = f"{request.scope.get('root_path', '')}{_COLLECTION}"

    def make() -> bytes:
        comparison = backend.comparer.compare([results_of(row) for row in rows])
        jobs = [row.job for row in rows]
        return to_json(ExplanationComparisonView.of(comparison, jobs, with_pairs=include == "pairs", base=base))

    return _answer(request, rows, ["json", include, base], _JSON, make)


@router.get(
    "/figure.png",
    operation_id="getComparisonPng",
    summary="Compare explanations in a figure",
    response_class=Response,
    responses=_answers(_PNG, "The figure."),
)
def get_comparison_png(explanations: _Explanations, who: Reader, backend: BackendDep, request: Request) -> Response:
    """Explanations of one pair side by side, a column each, and below them the others' differences from the first."""
    rows = _rows(backend, who.tenant, explanations)
    return _answer(request, rows, ["png"], _PNG, lambda: backend.comparer.figure([*map(results_of, rows)]).png)


@router.get(
    "/figure.svg",
    operation_id="getComparisonSvg",
    summary="Compare explanations in a figure, as SVG",
    response_class=Response,
    responses=_answers(_SVG, "The figure."),
)
def get_comparison_svg(explanations: _Explanations, who: Reader, backend: BackendDep, request: Request) -> Response:
    """The same figure as the PNG, to be drawn at any size."""
    rows = _rows(backend, who.tenant, explanations)
    response = _answer(request, rows, ["svg"], _SVG, lambda: backend.comparer.figure([*map(results_of, rows)]).svg)
    # Should a browser ever show it as a page of this origin.
    response.headers["Content-Security-Policy"] = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return response


def _rows(backend: Backend, tenant: str, explanations: str) -> list[Row]:
    """The tenant's jobs of these ids, which have succeeded and are of one pair.

    Raises:
        JobNotFoundError: one is not there.
        NotComparableError: they are not of one pair.
        ProblemError: one has not succeeded.
    """
    job_ids = explanations.split(",")
    found = zip(job_ids, backend.repository.fetch(job_ids), strict=True)
    rows = [backend.repository.decoded(job_id, fields, tenant=tenant) for job_id, fields in found]
    for row in rows:
        results_of(row)
    check_same_pair([row.job for row in rows])
    return rows


def _answer(
    request: Request, rows: Sequence[Row], form: list[str | None], media_type: str, make: Callable[[], bytes]
) -> Response:
    """What ``make`` gives, unless the client has it."""
    named = [_VERSION, form, [(row.job.id, results_of(row).digest) for row in rows]]
    return made_response(named, media_type, request, make)
