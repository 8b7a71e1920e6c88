"""A disk that can be full: a small file system of its own where this process may mount one, else a limit on files.

The limit is the kernel's on the length of a process's files (``RLIMIT_FSIZE``). It needs no rights, and makes every
write to a regular file fail, as a full disk does.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from tests.support.processes import children

__all__ = ["Disk", "LimitedFiles", "small_disk"]

SIZE_BYTES: Final = 64 * 2**20
CHUNK_BYTES: Final = 65_536


class Disk(Protocol):
    """A place for files that can be full."""

    def fill(self) -> None:
        """Let every write fail."""

    def free(self) -> None:
        """Let writes succeed again."""


class SmallDisk:
    """A file system of a few megabytes.

    Args:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Put something on it until nothing more goes."""
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(CHUNK_BYTES))

    def free(self) -> None:
        """Take that away."""
        self._ballast.unlink(missing_ok=True)


class LimitedFiles:
    """Processes that may write nothing to files.

    Args:
        pids: ids of the processes; their children are limited as well.
    """

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids

    def fill(self) -> None:
        """Limit every file to no bytes."""
        self._limit(0)

    def free(self) -> None:
        """Lift the limit."""
        self._limit(resource.getrlimit(resource.RLIMIT_FSIZE)[0])

    def _limit(self, size_bytes: int) -> None:
        most_bytes = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        for pid in self._pids():
            for each in (pid, *children(pid)):
                with suppress(ProcessLookupError):
                    resource.prlimit(each, resource.RLIMIT_FSIZE, (size_bytes, most_bytes))


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk | None]:
    """A small file system at ``folder``; None where this process may not mount one."""
    folder.mkdir(parents=True)
    options = f"size={SIZE_BYTES},mode=700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
