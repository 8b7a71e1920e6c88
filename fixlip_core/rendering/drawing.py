"""The program that draws for :mod:`fixlip_core.rendering.pool`, to whom it is bound by an inherited socket.

It answers one question after another and ends when the socket does, which is when its owner has ended, however that
came about. It never imports torch.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

from threadpoolctl import threadpool_limits

from fixlip_core.comparison import Comparison, Subject, compare
from fixlip_core.errors import FixlipError
from fixlip_core.evaluation.insertion_deletion import InsertionDeletion
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import RenderedMap, render_comparison, render_maps
from fixlip_core.types import ImageArray

__all__ = ["main"]


def main(socket: int) -> None:
    """Answer until the socket of this file descriptor ends."""
    # A signal to the whole group is for the owner to heed: it may have work to finish, whose figures are drawn here.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    threadpool_limits(1)  # the cores are the passes'
    line: Connection[Any, Any] = Connection(socket)
    with suppress(EOFError, OSError):
        line.send("ready")
        while True:
            line.send(_answer(*line.recv()))


def _answer(kind: str, *arguments: Any) -> tuple[bool, Any]:
    """(True, what was drawn), or (False, what an error is made of: its class may ask for more than it remembers)."""
    try:
        return True, _DRAWINGS[kind](*arguments)
    except Exception as error:
        if not isinstance(error, FixlipError):
            error.add_note(traceback.format_exc())
        return False, (type(error), error.args, vars(error))


def _maps(parts: dict[str, Any], view: ImageArray, curves: InsertionDeletion | None) -> dict[str, RenderedMap]:
    return render_maps(Explanation(**parts), view, curves=curves)


def _comparison(subjects: Sequence[Subject]) -> Comparison:
    return compare([subject.explanation for subject in subjects])


def _figure(subjects: Sequence[Subject]) -> RenderedMap:
    explanations = [subject.explanation for subject in subjects]
    return render_comparison(explanations, [subject.view for subject in subjects])


_DRAWINGS: Final[dict[str, Callable[..., Any]]] = {"comparison": _comparison, "figure": _figure, "maps": _maps}
