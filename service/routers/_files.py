"""A stored file of a job, or what is made of some, as the answer to a request: whole, in part, or not again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from service.jobs._rows import Row
from service.jobs.errors import ArtifactNotFoundError
from service.jobs.records import JobStatus
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore
from service.problems import ProblemError

__all__ = ["file_response", "made_response", "results_of"]

_FOREVER: Final = "private, max-age=31536000, immutable"
_AT_ONCE_BYTES: Final = 1_048_576
_RANGE: Final = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


def results_of(row: Row) -> Bundle:
    """The stored results of a job that has succeeded.

    Raises:
        ArtifactNotFoundError: it has none.
        ProblemError: 409, it has not succeeded, or not yet.
    """
    job = row.job
    if job.status is JobStatus.SUCCEEDED:
        if row.books.results is None:
            raise ArtifactNotFoundError("result.json")
        return row.books.results
    if not job.status.is_terminal:
        code, detail = "result_not_ready", f"the job {job.id} is {job.status}; its result is not there yet"
    else:
        reason = f": {job.error.detail}" if job.error else ""
        code, detail = "no_result", f"the job {job.id} is {job.status} and has no result{reason}"
    raise ProblemError(409, code, detail, job_status=job.status)


def _has_copy(request: Request, etag: str) -> bool:
    """Whether the client has what is of this ``etag``."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return bool(known & {etag, "*"})


def file_response(bundles: BundleStore, bundle: Bundle, name: str, media_type: str, request: Request) -> Response:
    """The answer to a GET of a file that never changes, by RFC 9110: 200, 206 or 304.

    Raises:
        ArtifactNotFoundError: there is no such file.
        ProblemError: 416, the file has no such part.
        StorageUnavailableError: the store does not answer.
    """
    entry = bundles.find(bundle, name)
    etag = f'"{entry.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": _FOREVER,
        "Vary": "Authorization",  # one browser may have the keys of several tenants
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
    }
    if _has_copy(request, etag):
        return Response(status_code=304, headers=headers)
    part = _part_asked_for(request, etag, entry.size_bytes)
    start, end = part or (0, entry.size_bytes)
    status = 200 if part is None else 206
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size_bytes}"
    if end - start <= _AT_ONCE_BYTES:  # so what is damaged can be told in good form
        return Response(bundles.read_part(bundle, entry, start, end), status, headers, media_type)
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(bundles.stream_part(bundle, entry, start, end), status, headers, media_type)


def made_response(named: Sequence[Any], media_type: str, request: Request, make: Callable[[], bytes]) -> Response:
    """The answer to a GET of what is made of stored files whenever it is asked for, unless the client has it.

    Args:
        named: JSON values that tell it from everything else that ``make`` could give: its version, its form, its files.
        media_type: its type.
        request: what is answered.
        make: makes it.
    """
    etag = f'"{hashlib.sha256(to_json(named)).hexdigest()}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",  # a job may be deleted
        "Vary": "Authorization",  # one browser may have the keys of several tenants
        "X-Content-Type-Options": "nosniff",
    }
    if _has_copy(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(make(), headers=headers, media_type=media_type)


def _part_asked_for(request: Request, etag: str, size_bytes: int) -> tuple[int, int] | None:
    """(start, end) of the one part that is asked for.

    None, which is all of it, where several are, or something else than bytes, or a part of another version.
    """
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or request.headers.get("if-range", etag) != etag:
        return None
    first, last = asked.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1 if last else size_bytes, size_bytes)
        if last and int(last) < start:
            return None
    if start >= end:
        raise ProblemError(
            416,
            "range_not_satisfiable",
            f"the file has {size_bytes:,} bytes, and none of those that Range asks for",
            headers={"Content-Range": f"bytes */{size_bytes}"},
        )
    return start, end
