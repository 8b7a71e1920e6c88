"""What a batch has found: item by item, as tables, and in brief. While it runs, of what has ended."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Final, cast

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from service.access.principal import Principal
from service.access.required import Reader
from service.backend import Backend, BackendDep
from service.batches.bodies import JSON_LINES
from service.batches.views import BATCHES
from service.jobs.batches.records import Batch, BatchRow
from service.routers._flags import Flag
from service.routers._responses import problems
from service.tables.csv_table import csv_lines
from service.tables.lines import brief_lines, json_lines
from service.tables.parquet_table import write_parquet
from service.tables.reading import ended_rows
from service.tables.summary import BatchSummary, summarise_batch
from service.views import EXPLANATIONS

__all__ = ["router"]

router: Final = APIRouter(prefix=f"{BATCHES}/{{batch_id}}", tags=["batches"])

_CSV: Final = "text/csv"
_PARQUET: Final = "application/vnd.apache.parquet"
_STATUS_HEADER: Final = "Batch-Status"
_KEPT_IN_MEMORY_BYTES: Final = 4_194_304
_CHUNK_BYTES: Final = 262_144
_PROBLEMS: Final = problems(
    {404: "No batch has this id, or what it consists of is lost.", 503: "Redis or the storage does not answer."}
)
_STATUS: Final = {
    _STATUS_HEADER: {
        "description": "Where the batch stood when the answer began: as long as it is `queued` or `running`, only the "
        "items are there that have ended.",
        "schema": {"type": "string"},
    }
}


def _file(description: str, media_type: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of a file that is made as it is sent."""
    content = {media_type: {"schema": {"type": "string", "contentMediaType": media_type}}}
    return {200: {"description": description, "headers": _STATUS, "content": content}, **_PROBLEMS}


@router.get(
    "/results.jsonl",
    operation_id="getBatchResults",
    summary="Read the results, item by item",
    response_class=Response,
    responses={
        **_file("Of each item that has ended a line of JSON, in the order of the items.", JSON_LINES),
        **problems({422: "`brief` is neither `true` nor `false`."}),
    },
)
def get_batch_results(
    batch_id: str,
    who: Reader,
    backend: BackendDep,
    request: Request,
    brief: Annotated[
        Flag, Query(description="Short lines: with `caption` and `scores` instead of `explanation`.")
    ] = False,
) -> Response:
    """Each item's `custom_id`, `status` and `error`, and its `explanation` as `GET /v1/explanations/{id}` has it."""
    batch = backend.batches.get(batch_id, tenant=who.tenant)
    rows = _rows(backend, who, batch)
    explanations = f"{request.scope.get('root_path', '')}{EXPLANATIONS}"
    lines = brief_lines(rows) if brief else json_lines(rows, explanations=explanations)
    return _streamed(lines, batch, JSON_LINES)


@router.get(
    "/table.csv",
    operation_id="getBatchTableCsv",
    summary="Read the table of scores as CSV",
    response_class=Response,
    responses=_file("The table, with a header.", _CSV),
)
def get_batch_table_csv(batch_id: str, who: Reader, backend: BackendDep) -> Response:
    """A row for each explanation and score, and one for an explanation without.

    A text that a spreadsheet would take for a formula has a `'` before it.
    """
    batch = backend.batches.get(batch_id, tenant=who.tenant)
    return _streamed(csv_lines(batch_id, _rows(backend, who, batch)), batch, _CSV, name="csv")


@router.get(
    "/table.parquet",
    operation_id="getBatchTableParquet",
    summary="Read the table of scores as Parquet",
    response_class=Response,
    responses=_file("The same table, with types.", _PARQUET),
)
def get_batch_table_parquet(batch_id: str, who: Reader, backend: BackendDep) -> Response:
    """A row for each explanation and score, and one for an explanation without."""
    batch = backend.batches.get(batch_id, tenant=who.tenant)
    file = SpooledTemporaryFile(_KEPT_IN_MEMORY_BYTES)  # noqa: SIM115  # closed when it is sent
    try:
        write_parquet(batch_id, _rows(backend, who, batch), cast(IO[bytes], file))
    except BaseException:
        file.close()
        raise
    return _streamed(_chunks(cast(IO[bytes], file)), batch, _PARQUET, name="parquet")


@router.get(
    "/summary",
    operation_id="getBatchSummary",
    summary="Read the summary",
    response_model=BatchSummary,
    response_description="Means with intervals of each way to explain, and every two of them on the same pairs.",
    responses={200: {"headers": _STATUS}, **_PROBLEMS},
)
async def get_batch_summary(batch_id: str, who: Reader, backend: BackendDep) -> Response:
    """Of every model, method and parameters, each score's mean with its 95 % interval; and which wins how often."""

    def respond() -> Response:
        batch = backend.batches.get(batch_id, tenant=who.tenant)
        summary = summarise_batch(batch_id, batch.status, _rows(backend, who, batch))
        return Response(to_json(summary), headers=_headers(batch), media_type="application/json")

    return await to_thread.run_sync(respond, limiter=backend.summary_slots)


def _rows(backend: Backend, who: Principal, batch: Batch) -> Iterator[list[BatchRow]]:
    return ended_rows(backend.batches, batch.id, tenant=who.tenant)


def _streamed(content: Iterator[bytes], batch: Batch, media_type: str, *, name: str | None = None) -> Response:
    """The answer as it is made; its first part is made before it begins, so that an error is told in due form."""
    first = next(content, b"")

    def parts() -> Iterator[bytes]:
        yield first
        yield from content

    headers = _headers(batch)
    if name is not None:
        headers["Content-Disposition"] = f'attachment; filename="batch-{batch.id}.{name}"'
    return StreamingResponse(parts(), headers=headers, media_type=media_type)


def _headers(batch: Batch) -> dict[str, str]:
    return {"Cache-Control": "no-store", _STATUS_HEADER: batch.status.value, "X-Content-Type-Options": "nosniff"}


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
