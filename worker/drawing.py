"""The program that draws maps for :mod:`worker.rendering`: ``python -m worker.drawing SOCKET``, an inherited one.

It answers one question after another and ends when the socket does, which is when its worker has ended, however that
came about. It never imports torch.
"""

from __future__ import annotations

import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from fixlip_core.errors import FixlipError
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import render_maps


def _main() -> None:
    # A signal to the whole group is for the worker to heed: it may have jobs to finish, whose maps are drawn here.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    line: Connection[Any, Any] = Connection(int(sys.argv[1]))
    with suppress(EOFError, OSError):
        line.send("ready")
        while True:
            line.send(_answer(*line.recv()))


def _answer(parts: dict[str, Any], view: Any) -> tuple[bool, Any]:
    """(True, the maps), or (False, what an error is made of: its own class may ask for more than it remembers)."""
    try:
        return True, render_maps(Explanation(**parts), view)
    except Exception as error:
        if not isinstance(error, FixlipError):
            error.add_note(traceback.format_exc())
        return False, (type(error), error.args, vars(error))


if __name__ == "__main__":
    _main()
