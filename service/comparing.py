"""Comparisons of explanations, made in a process that lives no longer than it takes: it draws, and this one serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Event, Lock
from typing import Final

from fixlip_core.comparison import Comparison, Subject
from fixlip_core.errors import NotComparableError, RenderingLostError
from fixlip_core.rendering.pool import RenderPool
from fixlip_core.rendering.rendered import RenderedMap
from service.jobs.records import Job
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore
from service.problems import ProblemError

__all__ = ["Comparer", "check_same_pair"]

LIMIT_S: Final = 30.0
"""Longest time that a comparison takes, waiting for others included."""
_PLACES: Final = 6
"""Comparisons that are made or wait."""
_LOOK_S: Final = 0.1
_ENDED_WITHIN_S: Final = 2.0


def check_same_pair(jobs: Sequence[Job]) -> None:
    """See that jobs are of one pair of image and caption.

    Raises:
        NotComparableError: they are not.
    """
    first = jobs[0]
    for job in jobs[1:]:
        for noun, one, other in (
            ("caption", first.input.caption, job.input.caption),
            ("image", first.input.image_sha256, job.input.image_sha256),
        ):
            if one != other:
                raise NotComparableError(f"explanations {first.id!r} and {job.id!r} are not of the same {noun}")


class Comparer:
    """Compares explanations, one comparison at a time; a few may wait. It may be used from several threads.

    Both ways of comparing raise:

    - ``ArtifactNotFoundError``, ``StorageUnavailableError``: results cannot be read.
    - ``NotComparableError``: the explanations are not of one pair.
    - ``ProblemError``: 503; too many wait, it took too long, or the drawing process was lost.

    Args:
        bundles: where results are.
    """

    def __init__(self, bundles: BundleStore) -> None:
        self._bundles = bundles
        self._places = BoundedSemaphore(_PLACES)
        self._turn = Lock()
        self._last: tuple[tuple[str, ...], RenderedMap] | None = None
        self._is_closed = Event()

    def compare(self, results: Sequence[Bundle]) -> Comparison:
        """The comparison of the explanations in these results."""
        with self._process() as (pool, check):
            return pool.compare(self._subjects(results), check=check)

    def figure(self, results: Sequence[Bundle]) -> RenderedMap:
        """The figure of the explanations in these results; whoever has its PNG may want its SVG next."""
        asked, last = tuple(bundle.digest for bundle in results), self._last
        if last is not None and last[0] == asked:
            return last[1]
        with self._process() as (pool, check):
            figure = pool.draw_comparison(self._subjects(results), check=check)
        self._last = (asked, figure)
        return figure

    def close(self) -> None:
        """Break off what is being compared, and see its process end: this one's threads may be stopped at any step."""
        self._is_closed.set()
        self._turn.acquire(timeout=_ENDED_WITHIN_S)

    @contextmanager
    def _process(self) -> Iterator[tuple[RenderPool, Callable[[], None]]]:
        """A process of one's own, and what its user is to call while it waits."""
        ends_s = time.monotonic() + LIMIT_S

        def check() -> None:
            if self._is_closed.is_set():
                raise ProblemError(503, "comparisons_busy", "this process of the service ends; try again")
            if time.monotonic() > ends_s:
                raise ProblemError(503, "comparison_timeout", f"the comparison was not there within {LIMIT_S:.0f} s")

        if not self._places.acquire(blocking=False):
            raise ProblemError(503, "comparisons_busy", "too many comparisons are being made; try again in a moment")
        try:
            while not self._turn.acquire(timeout=_LOOK_S):
                check()
            try:
                check()
                with RenderPool(1) as pool:
                    yield pool, check
            except RenderingLostError as error:
                raise ProblemError(503, error.code, f"{error}; try again") from error
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def _subjects(self, results: Sequence[Bundle]) -> list[Subject]:
        return [Subject(self._read(bundle, "interactions.npz"), self._read(bundle, "view.png")) for bundle in results]

    def _read(self, bundle: Bundle, name: str) -> bytes:
        entry = self._bundles.find(bundle, name)
        return self._bundles.read_part(bundle, entry, 0, entry.size_bytes)
