"""Become another program that the kernel ends with its parent: ``python _tied.py PARENT_PID COMMAND ...``.

A parent that is killed cannot stop its children, and ``subprocess`` asks for the same with ``preexec_fn``, which is
unsafe beside threads. Run by path in an isolated interpreter, so it costs a few milliseconds and imports nothing of
this package. Linux alone has the system call; elsewhere children stop when their parent asks them to.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

__all__ = ["tied"]

_PR_SET_PDEATHSIG = 1


def tied(command: list[str]) -> list[str]:
    """The command line that runs ``command`` until this process, more precisely the calling thread, ends."""
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(os.getpid()), *command]


def _main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(0)  # the parent ended before the kernel was asked
    os.execv(command[0], command)


if __name__ == "__main__":
    _main()
