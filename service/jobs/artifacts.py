"""Inputs and results on disk, each set of files written whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from service.jobs.errors import ArtifactNotFoundError, InvalidArtifactNameError, StorageUnavailableError
from service.jobs.records import is_job_id

__all__ = ["INPUTS", "ArtifactStore", "results_of"]

INPUTS: Final = "inputs"

_PART: Final = re.compile(r"inputs|results-[1-9][0-9]*")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")


def results_of(attempt: int) -> str:
    """The part of a job's files that is the results of one attempt; which attempt counts, the job's record says."""
    return f"results-{attempt}"


class ArtifactStore:
    """Files of jobs below ``root``: ``jobs/<id>/inputs/...`` and ``jobs/<id>/results-<attempt>/...``.

    A part is written into a directory of its own, flushed to the disk and then renamed into place, so that a reader
    sees all of its files or none, whatever happens to the writer.
    """

    def __init__(self, root: Path) -> None:
        self._jobs = root / "jobs"
        self._drafts = root / "drafts"

    def path(self, job_id: str, part: str, name: str) -> Path:
        """Where a file of a job lies, or would lie.

        Raises:
            InvalidArtifactNameError: the id, the part or the name may not become a path.
        """
        if _NAME.fullmatch(name) is None:
            raise InvalidArtifactNameError(
                f"name must be letters, digits, '.', '_', '-', up to 100 of them, and at most one '/': {name!r}"
            )
        return self._part(job_id, part) / name

    def write(self, job_id: str, part: str, files: Mapping[str, bytes]) -> None:
        """Write a part of a job's files; a part written before is replaced.

        Raises:
            InvalidArtifactNameError: the id, the part or a name may not become a path.
            StorageUnavailableError: the disk refused; nothing of the part is left there.
        """
        target = self._part(job_id, part)
        names = {name: self.path(job_id, part, name).relative_to(target) for name in files}
        draft = self._drafts / uuid.uuid4().hex
        try:
            for name, data in files.items():
                _write_flushed(draft / names[name], data)
            for directory in {draft, *((draft / name).parent for name in names.values())}:
                _flush_directory(directory)
            if not target.parent.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                _flush_directory(self._jobs)
            self._discard(target)
            draft.rename(target)
            _flush_directory(target.parent)
        except OSError as error:
            raise StorageUnavailableError(f"cannot store {part} of explanation {job_id}: {error.strerror}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def read(self, job_id: str, part: str, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            ArtifactNotFoundError: there is no such file, or there cannot be one.
            StorageUnavailableError: the disk refused.
        """
        try:
            return self.path(job_id, part, name).read_bytes()
        except (InvalidArtifactNameError, FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ArtifactNotFoundError(job_id, name) from error
        except OSError as error:
            raise StorageUnavailableError(f"cannot read {name} of explanation {job_id}: {error.strerror}") from error

    def delete(self, job_id: str) -> None:
        """Remove everything of a job; a job that has nothing is no error.

        Raises:
            InvalidArtifactNameError: the id may not become a path.
            StorageUnavailableError: the disk refused.
        """
        self._remove(self._job(job_id))

    def delete_results(self, job_id: str, attempt: int) -> None:
        """Remove the results of an attempt; none is no error.

        Raises:
            InvalidArtifactNameError: the id may not become a path.
            StorageUnavailableError: the disk refused.
        """
        self._remove(self._part(job_id, results_of(attempt)))

    def delete_drafts(self, *, older_than_s: float) -> None:
        """Remove what was begun so long ago that its writer must be gone.

        Raises:
            StorageUnavailableError: the disk refused.
        """
        try:
            drafts = list(self._drafts.iterdir()) if self._drafts.exists() else []
        except OSError as error:
            raise StorageUnavailableError(f"cannot read the data directory: {error.strerror}") from error
        for draft in drafts:
            with suppress(OSError):  # another process has removed it meanwhile
                if time.time() - draft.stat().st_mtime > older_than_s:
                    _erase(draft)

    def probe(self) -> None:
        """Check that the store can be written.

        Raises:
            StorageUnavailableError: it cannot.
        """
        probe = self._drafts / uuid.uuid4().hex
        try:
            _write_flushed(probe, b"probe")
        except OSError as error:
            raise StorageUnavailableError(f"cannot write to the data directory: {error.strerror}") from error
        finally:
            with suppress(OSError):
                probe.unlink()

    def _job(self, job_id: str) -> Path:
        if not is_job_id(job_id):
            raise InvalidArtifactNameError(f"not a job id: {job_id!r}")
        return self._jobs / job_id

    def _part(self, job_id: str, part: str) -> Path:
        if _PART.fullmatch(part) is None:
            raise InvalidArtifactNameError(f"part must be {INPUTS} or results-N: {part!r}")
        return self._job(job_id) / part

    def _remove(self, directory: Path) -> None:
        try:
            self._discard(directory)
        except OSError as error:
            raise StorageUnavailableError(f"cannot remove from the data directory: {error.strerror}") from error

    def _discard(self, directory: Path) -> None:
        """Take a directory away in one rename, then empty it where nobody looks."""
        doomed = self._drafts / uuid.uuid4().hex
        self._drafts.mkdir(parents=True, exist_ok=True)
        try:
            directory.rename(doomed)
        except FileNotFoundError:
            return
        shutil.rmtree(doomed, ignore_errors=True)


def _write_flushed(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _erase(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
