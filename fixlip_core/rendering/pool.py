"""Figures are drawn in processes of their own.

Drawing holds Python's lock, and would stop a process's other threads; and what draws takes memory that a process which
only serves should not have.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Pipe
from queue import Empty, LifoQueue
from types import TracebackType
from typing import Any, Final, Self

from fixlip_core.comparison import Comparison, Subject
from fixlip_core.errors import RenderingLostError
from fixlip_core.evaluation.insertion_deletion import InsertionDeletion
from fixlip_core.explanation import Explanation
from fixlip_core.rendering.rendered import RenderedMap
from fixlip_core.types import ImageArray

__all__ = ["RenderPool"]

CHECK_S: Final = 0.1
"""How often a caller that waits is asked whether it still wants to."""

# It finds this package where this process did.
_PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; from fixlip_core.rendering.drawing import main; main(int(sys.argv[1]))"
)


class RenderPool:
    """Processes that draw, all but the first started when they are needed; a lost one is replaced likewise.

    Any number of threads may draw at once; those beyond the number of processes wait. A process that is lost fails
    only the drawing that it was busy with.

    Args:
        processes: how many, 1 or more.
    """

    def __init__(self, processes: int = 1) -> None:
        # A place has a process, or None where one may be started. The last to come back is the first to be taken.
        self._places: LifoQueue[_Process | None] = LifoQueue()
        for _ in range(processes):
            self._places.put(None)
        self._n_places = processes
        self._lock = threading.Lock()
        self._processes: set[_Process] = set()
        self._is_closed = False

    def __enter__(self) -> Self:
        """Start the first process: it will be ready by the time that there is something to draw."""
        self._places.put(self._places.get() or self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End every process; drawings under way are lost."""
        with self._lock:
            self._is_closed = True
            for process in self._processes:
                process.kill()
        # A thread that draws gives its place back as soon as it is told that its process is gone.
        places = [self._places.get() for _ in range(self._n_places)]
        for place in places:
            self._end(place)
            self._places.put(None)

    def render(
        self,
        explanation: Explanation,
        view: ImageArray,
        *,
        curves: InsertionDeletion | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> dict[str, RenderedMap]:
        """What :func:`fixlip_core.rendering.render_maps` gives for the same arguments, to the byte.

        Args:
            explanation: what to draw.
            view: (H, W, 3) uint8, the view that the model saw.
            curves: its insertion and deletion curves, where they are to be drawn, too.
            check: called about ten times a second; what it raises ends the drawing and is raised.

        Raises:
            InvalidImageError: ``view`` is of another shape or dtype.
            InvalidParameterError: a value of the explanation is not finite.
            RenderingLostError: the process was lost; the pool is whole again.
        """
        maps: dict[str, RenderedMap] = self._draw("maps", (_parts(explanation), view, curves), check)
        return maps

    def compare(self, subjects: Sequence[Subject], *, check: Callable[[], None] = lambda: None) -> Comparison:
        """What :func:`fixlip_core.comparison.compare` gives for the explanations in the subjects' files.

        Args:
            subjects: what is compared.
            check: as in :meth:`render`.

        Raises:
            FormatError: a file is damaged.
            NotComparableError: they are not of the same pair.
            RenderingLostError: the process was lost; the pool is whole again.
        """
        comparison: Comparison = self._draw("comparison", (subjects,), check)
        return comparison

    def draw_comparison(self, subjects: Sequence[Subject], *, check: Callable[[], None] = lambda: None) -> RenderedMap:
        """What :func:`fixlip_core.rendering.render_comparison` draws of the subjects' files.

        Args:
            subjects: what is compared.
            check: as in :meth:`render`.

        Raises:
            FormatError: a file is damaged.
            InvalidImageError: a view is no picture.
            InvalidParameterError: a value of an explanation is not finite.
            NotComparableError: they are not of the same pair.
            RenderingLostError: the process was lost; the pool is whole again.
        """
        figure: RenderedMap = self._draw("figure", (subjects,), check)
        return figure

    def _draw(self, kind: str, arguments: tuple[object, ...], check: Callable[[], None]) -> Any:
        place = self._take(check)
        try:
            place = place or self._start()
            is_drawn, answer = place.ask((kind, *arguments), check)
        except BaseException:
            # What it may still draw would be taken for the answer to the next question.
            self._end(place)
            self._places.put(None)
            raise
        self._places.put(place)
        if not is_drawn:
            raise _error(*answer)
        return answer

    def _take(self, check: Callable[[], None]) -> _Process | None:
        while True:
            check()
            try:
                place = self._places.get(timeout=CHECK_S)
            except Empty:
                continue
            if place is None or not place.has_ended:
                return place
            # It was killed while it had nothing to do, which need not concern the caller.
            self._end(place)
            return None

    def _start(self) -> _Process:
        with self._lock:
            if self._is_closed:
                raise RenderingLostError("the processes that draw were ended")
            process = _Process()
            self._processes.add(process)
        return process

    def _end(self, process: _Process | None) -> None:
        if process is not None:
            process.end()
            with self._lock:
                self._processes.discard(process)


class _Process:
    """A :mod:`fixlip_core.rendering.drawing` as its owner sees it; used by one thread at a time.

    Raises:
        RenderingLostError: it cannot be started.
    """

    def __init__(self) -> None:
        self._line, theirs = Pipe()
        self._is_ready = False
        command = [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), *filter(None, sys.path)]
        try:
            self._popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        except OSError as error:
            self._line.close()
            raise RenderingLostError(f"no process that draws can be started: {error}") from error
        finally:
            # The process's end must be its alone: when it closes, this side is told.
            theirs.close()

    @property
    def has_ended(self) -> bool:
        """Whether it is gone; to be asked while it has nothing to do."""
        # Then it has nothing to say, either: its end of the line is closed, which is told before it can be waited for.
        return self._popen.poll() is not None or (self._is_ready and self._line.poll())

    def ask(self, question: object, check: Callable[[], None]) -> Any:
        """Its answer to ``question``; ``check`` may raise meanwhile.

        Raises:
            RenderingLostError: it ended first.
        """
        if not self._is_ready:
            # A long question to a process that does not listen yet would hold this thread, without a check.
            self._receive(check)
            self._is_ready = True
        with _lost_at_the_end():
            self._line.send(question)
        return self._receive(check)

    def _receive(self, check: Callable[[], None]) -> Any:
        while True:
            check()
            with _lost_at_the_end():
                if self._line.poll(CHECK_S):
                    return self._line.recv()

    def kill(self) -> None:
        """End it, whatever it is doing; a thread that waits for its answer is told."""
        self._popen.kill()

    def end(self) -> None:
        """End it and what is kept of it; no thread may wait for its answer."""
        self._popen.kill()
        self._popen.wait()
        self._line.close()


@contextmanager
def _lost_at_the_end() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        raise RenderingLostError("the process that drew was lost") from error


def _parts(explanation: Explanation) -> dict[str, Any]:
    """What an explanation is made of: compressing it into a file takes longer than all the rest of the way."""
    parts = {field.name: getattr(explanation, field.name) for field in dataclasses.fields(explanation)}
    # A view of a mapping cannot be sent.
    return parts | {"provenance": dict(explanation.provenance)}


def _error(kind: type[Exception], arguments: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    """The error that :mod:`fixlip_core.rendering.drawing` took apart."""
    error = kind.__new__(kind, *arguments)
    vars(error).update(state)
    return error
