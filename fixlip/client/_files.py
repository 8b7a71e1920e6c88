"""A job's files: which there are, and how they come onto the disk."""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from fixlip.client._operations import Operation, path_of
from fixlip.client.errors import UnexpectedAnswerError
from fixlip.client.models import Interactions, Job

__all__ = ["atomic_file", "files_of", "interactions"]

_NPZ: Final = "interactions.npz"
_ARRAYS: Final = ("first", "second", "first_std_error", "second_std_error")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def files_of(job: Job) -> dict[str, str]:
    """The paths of a succeeded job's files by the names they get on the disk.

    Raises:
        UnexpectedAnswerError: a name is no name but a path.
    """
    maps = [(name, "png") for name in job.urls.maps] + [(name, "svg") for name in job.urls.maps_svg]
    for name, _ in maps:
        if not _PLAIN_NAME.fullmatch(name):
            raise UnexpectedAnswerError(f"the job {job.id} has a map of the name {name!r}, which is no file's name")
    results = {
        _NPZ: _NPZ,
        "interactions.json": "interactions.json",
        "result.json": "result",
        "audit.json": "audit.json",
    }
    if job.urls.report_html is not None:
        results["report.html"] = "report.html"
    if job.urls.view is not None:
        results["view.png"] = "view.png"
    if job.urls.evaluation is not None:
        results["evaluation.json"] = "evaluation.json"
    return {name: path_of(job, below) for name, below in results.items()} | {
        f"maps/{name}.{kind}": path_of(job, "maps", f"{name}.{kind}") for name, kind in maps
    }


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that gets its name when it is whole; until then, and on errors, what was there stays there."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def interactions(job: Job | str) -> Operation[Interactions]:
    """The whole tensor; needs NumPy, which nothing else of the client does."""
    return Operation("GET", path_of(job, _NPZ), lambda response: _read(response.content))


def _read(data: bytes) -> Interactions:
    import numpy as np

    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            header = json.loads(str(archive["header"]))
            return Interactions(**{name: archive[name] for name in _ARRAYS}, header=header)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UnexpectedAnswerError(f"the interactions cannot be read: {error}") from error
