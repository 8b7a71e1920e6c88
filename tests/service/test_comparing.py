from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from fixlip_core.comparison import Comparison, Subject, compare
from fixlip_core.errors import NotComparableError, RenderingLostError
from fixlip_core.formats import to_npz_bytes
from fixlip_core.rendering.pool import RenderPool
from service import comparing
from service.backend import Backend
from service.comparing import Comparer, check_same_pair
from service.jobs.records import Job, JobInput, JobModel
from service.jobs.storage.bundle import Bundle
from service.problems import ProblemError
from tests.support.explanations import attribution, example
from tests.support.jobs import png

WAIT_S = 60.0


@pytest.fixture
def results(backend: Backend) -> list[Bundle]:
    """Stored results of two explanations of one pair."""
    files = [{"interactions.npz": to_npz_bytes(e), "view.png": png()} for e in (example(), attribution())]
    return [backend.bundles.add(each) for each in files]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


class Held:
    """Comparisons that go on until they are let go, or break off as their caller's check says."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()
        self.at_once = self.most_at_once = 0

    def compare(self, _: RenderPool, subjects: Sequence[Subject], *, check: Callable[[], None]) -> Comparison:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.release()
        try:
            while not self.free.wait(0.01):
                check()
        finally:
            self.at_once -= 1
        return compare([subject.explanation for subject in subjects])


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held()
    monkeypatch.setattr(
        RenderPool, "compare", lambda pool, subjects, **options: held.compare(pool, subjects, **options)
    )
    monkeypatch.setattr(RenderPool, "__enter__", lambda pool: pool)
    return held


def code_of(future: Future[Any]) -> str:
    with pytest.raises(ProblemError) as caught:
        future.result(WAIT_S)
    assert caught.value.status == 503
    assert "Retry-After" in caught.value.headers
    return caught.value.code


def test_stored_explanations_are_compared(backend: Backend, results: list[Bundle]) -> None:
    comparison = backend.comparer.compare(results)
    expected = compare([example(), attribution()])
    assert comparison.agreements[0] == expected.agreements[0]
    assert (comparison.image == expected.image).all()
    assert backend.comparer.figure(results).png.startswith(b"\x89PNG")


def test_one_at_a_time_a_few_wait_and_others_are_told(
    backend: Backend, results: list[Bundle], held: Held, threads: ThreadPoolExecutor
) -> None:
    comparer = Comparer(backend.bundles)
    waiting = [threads.submit(comparer.compare, results) for _ in range(6)]
    assert held.begun.acquire(timeout=WAIT_S)
    while comparer._places.acquire(blocking=False):
        comparer._places.release()
    assert code_of(threads.submit(comparer.compare, results)) == "comparisons_busy"
    held.free.set()
    assert all(len(future.result(WAIT_S)) == 2 for future in waiting)
    assert held.most_at_once == 1


def test_one_that_takes_too_long_is_broken_off(
    backend: Backend, results: list[Bundle], held: Held, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "LIMIT_S", 0.2)
    comparer = Comparer(backend.bundles)
    futures = [threads.submit(comparer.compare, results) for _ in range(3)]
    assert {code_of(future) for future in futures} == {"comparison_timeout"}
    held.free.set()
    assert len(comparer.compare(results)) == 2


def test_the_end_of_the_service_breaks_them_off(
    backend: Backend, results: list[Bundle], held: Held, threads: ThreadPoolExecutor
) -> None:
    comparer = Comparer(backend.bundles)
    futures = [threads.submit(comparer.compare, results) for _ in range(2)]
    assert held.begun.acquire(timeout=WAIT_S)
    comparer.close()
    assert held.at_once == 0
    assert {code_of(future) for future in futures} == {"comparisons_busy"}


def test_a_lost_process_is_told_and_costs_the_next_nothing(
    backend: Backend, results: list[Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> None:
        raise RenderingLostError("the process that drew was lost")

    with monkeypatch.context() as patched:
        patched.setattr(RenderPool, "compare", lose)
        with pytest.raises(ProblemError) as caught:
            backend.comparer.compare(results)
    assert (caught.value.status, caught.value.code) == (503, "rendering_lost")
    assert len(backend.comparer.compare(results)) == 2


class TestPairs:
    def job(self, caption: str = "a dog", image: str = "a" * 64) -> Job:
        pair = JobInput(image_sha256=image, caption=caption)
        return Job(model=JobModel(id="demo", revision="r"), method="fixlip", params={}, input=pair)

    def test_jobs_of_one_pair(self) -> None:
        check_same_pair([self.job(), self.job()])

    def test_jobs_of_others(self) -> None:
        one = self.job()
        for noun, other in (("caption", self.job("a cat")), ("image", self.job(image="b" * 64))):
            with pytest.raises(NotComparableError, match=f"{one.id}.*{other.id}.*the same {noun}"):
                check_same_pair([one, self.job(), other])
