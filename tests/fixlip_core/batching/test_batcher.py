"""The batcher with real threads and an encoder that tells what it was run with."""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import pytest

from fixlip_core.batching import Batcher, BatchRun
from fixlip_core.errors import (
    BatcherStoppedError,
    CanceledError,
    DeviceLostError,
    DeviceMemoryError,
    InvalidCaptionError,
)
from tests.fixlip_core.batching.waiting import SOON_S, face_of, until
from tests.support.fake_encoder import FakeEncoder
from tests.support.stacking_encoder import StackingEncoder, StackingTower, expected, rows_of


def warm(batcher: Batcher, encoder: Any) -> None:
    """Let the batcher learn that batches are quick, so that only memory limits them."""
    for _ in range(6):
        face_of(batcher, encoder, client="warm").encode_images(0, rows_of(200))
    encoder.tower.batches.clear()
    while encoder.tower.begun.acquire(blocking=False):
        pass


class Shared:
    """An encoder at a batcher whose device waits for ``go``, while jobs line up."""

    def __init__(self, batcher: Batcher, jobs: ThreadPoolExecutor, **options: Any) -> None:
        self.batcher, self.jobs = batcher, jobs
        self.tower = StackingTower(**options)
        self.encoder: Any = StackingEncoder(tower=self.tower)
        warm(batcher, self.encoder)

    def busy(self) -> Any:
        """A job whose batch is being run until ``go``."""
        self.tower.is_open.clear()
        job = self._submit("busy", 99, 4)
        assert self.tower.begun.acquire(timeout=SOON_S)
        return job

    def ask(self, client: Any, tag: int, rows: int, *, check: Any = lambda: None) -> Any:
        """A job that asks for rows; it is in line when this returns."""
        before = self.batcher._line.rows
        job = self._submit(client, tag, rows, check=check)
        until(lambda: self.batcher._line.rows > before or self.tower.is_open.is_set() or job.done())
        return job

    def _submit(self, client: Any, tag: int, rows: int, *, check: Any = lambda: None) -> Any:
        face = face_of(self.batcher, self.encoder, client=client, check=check)
        return self.jobs.submit(face.encode_images, tag, rows_of(rows))

    def go(self) -> None:
        self.tower.is_open.set()


def test_rows_come_back_in_order_and_to_whom_they_belong(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    encoder: Any = StackingEncoder()
    asked = [
        (tag, rows_of(int(n), first=3 * tag)) for tag, n in enumerate(np.random.default_rng(0).integers(0, 90, 40))
    ]
    done = [jobs.submit(face_of(batcher, encoder, client=tag).encode_images, tag, rows) for tag, rows in asked]
    for (tag, rows), job in zip(asked, done, strict=True):
        np.testing.assert_array_equal(job.result(SOON_S), expected(tag, rows))
    statistics = batcher.statistics
    assert statistics.rows == sum(len(rows) for _, rows in asked) <= statistics.capacity_rows
    assert statistics.batches == len(encoder.tower.batches)


def test_jobs_fill_batches_together(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    shared = Shared(batcher, jobs)
    first = shared.busy()
    others = [shared.ask(tag, tag, 8) for tag in range(8)]
    before = batcher.statistics
    shared.go()
    wait([first, *others])
    assert [len(batch) for batch in shared.tower.batches] == [1, 16]
    statistics = batcher.statistics
    assert (statistics.batches - before.batches, statistics.rows - before.rows) == (2, 68)
    assert statistics.capacity_rows - before.capacity_rows == 128


def test_a_few_rows_overtake_many(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    shared = Shared(batcher, jobs)
    first = shared.busy()
    large, small = shared.ask("large", 1, 8_192), shared.ask("small", 2, 64)
    shared.go()
    small.result(SOON_S)
    assert sum(rows for batch in shared.tower.batches for tag, rows in batch if tag == 1) <= 256
    assert len(large.result(SOON_S)) == 8_192
    first.result(SOON_S)


def test_buckets_are_not_mixed_and_keep_their_rows(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    encoder = StackingEncoder()
    done = []
    for client in range(12):
        face = face_of(batcher, encoder, client=client)
        done.append(jobs.submit(face.encode_texts, f"{client} {client % 3}", rows_of(50)))
    for client, job in enumerate(done):
        np.testing.assert_array_equal(job.result(SOON_S), expected(client, rows_of(50)))


def test_rows_in_line_are_bounded_but_everyone_gets_in(jobs: ThreadPoolExecutor) -> None:
    with Batcher(max_queued_rows=100) as batcher:
        shared = Shared(batcher, jobs)
        first = shared.busy()
        large = [shared.ask(f"large {k}", k, 1_000) for k in range(3)]
        small = shared.ask("small", 7, 2)
        most = batcher._line.rows
        assert most <= 100 + 4 + 4 + 2
        shared.go()
        assert len(small.result(SOON_S)) == 2
        for k, job in enumerate(large):
            np.testing.assert_array_equal(job.result(SOON_S), expected(k, rows_of(1_000)))
        first.result(SOON_S)


def test_check_withdraws_what_waits(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    shared = Shared(batcher, jobs)
    first, is_canceled = shared.busy(), threading.Event()

    def check() -> None:
        if is_canceled.is_set():
            raise CanceledError("enough")

    canceled, other = shared.ask("canceled", 1, 500, check=check), shared.ask("other", 2, 8)
    is_canceled.set()
    with pytest.raises(CanceledError):
        canceled.result(2)
    assert batcher._line.rows == 8
    shared.go()
    assert len(other.result(SOON_S)) == 8
    assert {tag for batch in shared.tower.batches for tag, _ in batch} == {99, 2}
    first.result(SOON_S)


def test_check_comes_before_the_first_row(batcher: Batcher) -> None:
    encoder: Any = StackingEncoder()

    def check() -> None:
        raise CanceledError("enough")

    with pytest.raises(CanceledError):
        face_of(batcher, encoder, client=1, check=check).encode_images(encoder, rows_of(4))
    assert encoder.tower.batches == []


def test_check_withdraws_what_found_no_room(jobs: ThreadPoolExecutor) -> None:
    with Batcher(max_queued_rows=50) as batcher:
        shared = Shared(batcher, jobs)
        first, calls = shared.busy(), Counter[str]()

        def check() -> None:
            calls["check"] += 1
            if calls["check"] > 3:
                raise CanceledError("enough")

        canceled = shared.ask("canceled", 1, 500, check=check)
        with pytest.raises(CanceledError):
            canceled.result(SOON_S)
        assert batcher._line.rows == 0
        shared.go()
        first.result(SOON_S)


def test_an_error_is_that_of_its_job_alone(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    def on_batch(batch: list[tuple[int, int]]) -> None:
        if any(tag == 3 for tag, _ in batch):
            raise InvalidCaptionError("three")

    shared = Shared(batcher, jobs, on_batch=on_batch)
    first = shared.busy()
    others = {tag: shared.ask(tag, tag, 8) for tag in range(6)}
    shared.go()
    with pytest.raises(InvalidCaptionError, match="three"):
        others.pop(3).result(SOON_S)
    for tag, job in others.items():
        np.testing.assert_array_equal(job.result(SOON_S), expected(tag, rows_of(8)))
    first.result(SOON_S)


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no"),
        OutOfMemoryError("no"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:75] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_out_of_memory_halves_batches_and_is_remembered(
    batcher: Batcher, jobs: ThreadPoolExecutor, error: Exception
) -> None:
    def on_batch(batch: list[tuple[int, int]]) -> None:
        if sum(rows for _, rows in batch) > 20:
            raise error

    shared = Shared(batcher, jobs)
    shared.tower.on_batch = on_batch
    first = shared.busy()
    others = [shared.ask(tag, tag, 40) for tag in range(4)]
    shared.go()
    for tag, job in enumerate(others):
        np.testing.assert_array_equal(job.result(SOON_S), expected(tag, rows_of(40)))
    assert batcher.statistics.oom_halvings == 2
    assert max(sum(rows for _, rows in batch) for batch in shared.tower.batches) == 16
    shared.ask("later", 9, 100).result(SOON_S)
    assert batcher.statistics.oom_halvings == 2
    first.result(SOON_S)
    batcher.forget(shared.encoder)
    shared.tower.on_batch = lambda _: None
    shared.ask("anew", 9, 400).result(SOON_S)
    assert max(sum(rows for _, rows in batch) for batch in shared.tower.batches) > 20


def test_a_row_that_does_not_fit_is_the_error_of_its_job(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    def on_batch(batch: list[tuple[int, int]]) -> None:
        if any(tag == 3 for tag, _ in batch):
            raise MemoryError

    shared = Shared(batcher, jobs, on_batch=on_batch)
    first = shared.busy()
    others = {tag: shared.ask(tag, tag, 8) for tag in range(6)}
    shared.go()
    with pytest.raises(DeviceMemoryError, match="single row"):
        others.pop(3).result(SOON_S)
    for tag, job in others.items():
        np.testing.assert_array_equal(job.result(SOON_S), expected(tag, rows_of(8)))
    first.result(SOON_S)
    shared.ask("later", 9, 200).result(SOON_S)
    assert max(sum(rows for _, rows in batch) for batch in shared.tower.batches) == 64  # it was that row alone


def test_a_lost_device_is_everyones(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    def on_batch(batch: list[tuple[int, int]]) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    shared = Shared(batcher, jobs)
    shared.tower.on_batch = on_batch
    waiting = [shared.busy(), *(shared.ask(tag, tag, 8) for tag in range(3))]
    shared.go()
    errors = [job.exception(SOON_S) for job in waiting]
    assert all(isinstance(error, DeviceLostError) and "illegal memory" in str(error) for error in errors)
    assert len({id(error) for error in errors}) == len(errors)
    with pytest.raises(DeviceLostError):
        face_of(batcher, shared.encoder, client="late").encode_images(shared.encoder, rows_of(2))
    with pytest.raises(DeviceLostError), batcher.turn():
        pytest.fail("no turn is to be had")


def test_stopping_tells_all_who_wait(jobs: ThreadPoolExecutor) -> None:
    with Batcher() as batcher:
        shared = Shared(batcher, jobs)
        waiting = [shared.busy(), *(shared.ask(tag, tag, 8) for tag in range(3))]

        def wait_for_a_turn() -> None:
            with batcher.turn():
                pytest.fail("no turn is to be had")

        waiting.append(jobs.submit(wait_for_a_turn))
        until(lambda: len(batcher._line) == 4)
        threading.Timer(0.05, shared.go).start()
    for job in waiting[1:]:
        assert isinstance(job.exception(SOON_S), BatcherStoppedError)
    assert not batcher._thread.is_alive()
    with pytest.raises(BatcherStoppedError):
        face_of(batcher, shared.encoder, client="late").encode_images(shared.encoder, rows_of(2))


def test_before_the_start_nothing_runs() -> None:
    encoder: Any = StackingEncoder()
    with pytest.raises(BatcherStoppedError, match="started"):
        face_of(Batcher(), encoder, client=1).encode_images(encoder, rows_of(1))


def test_no_rows_need_no_device(batcher: Batcher) -> None:
    encoder: Any = StackingEncoder()
    assert face_of(batcher, encoder, client=1).encode_images(encoder, rows_of(0)).shape == (0, 3)
    assert encoder.tower.batches == []


def test_a_device_of_its_own_waits_for_others_a_little(jobs: ThreadPoolExecutor) -> None:
    """And not at all once the batch is full, or everyone is in line."""
    with Batcher(max_wait_s=0.3) as batcher:
        encoder: Any = StackingEncoder(tower=StackingTower(runs_ahead=True))
        face = face_of(batcher, encoder, client="a")
        started = time.monotonic()
        face.encode_images(1, rows_of(4))
        assert time.monotonic() - started < 0.25
        other = face_of(batcher, encoder, client="b")
        started = time.monotonic()
        waiting = jobs.submit(face.encode_images, 1, rows_of(4))
        time.sleep(0.05)
        other.encode_images(2, rows_of(4))
        waiting.result(SOON_S)
        assert encoder.tower.batches[-1] == [(1, 4), (2, 4)]
        assert time.monotonic() - started < 0.25
        face.encode_images(1, rows_of(4))
        assert time.monotonic() - started >= 0.3
        for _ in range(8):
            face.encode_images(1, rows_of(200))
        started = time.monotonic()
        face.encode_images(1, rows_of(64))
        assert time.monotonic() - started < 0.25
        del other
        started = time.monotonic()
        face.encode_images(1, rows_of(4))
        assert time.monotonic() - started < 0.25


def test_a_gpu_has_a_second_batch_before_the_first_is_done(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    tower = StackingTower(rows_per_batch=4, runs_ahead=True)
    encoder = StackingEncoder(tower=tower)
    tower.arrived.clear()
    job = jobs.submit(face_of(batcher, encoder, client=1).encode_images, 1, rows_of(16))
    until(lambda: len(tower.batches) == 2)
    assert batcher.statistics.batches == 0
    tower.arrived.set()
    np.testing.assert_array_equal(job.result(SOON_S), expected(1, rows_of(16)))
    assert batcher.statistics.batches == 4


def test_what_fails_on_the_way_is_run_again_alone(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    """A GPU may tell of an error when its answer is due."""
    shared = Shared(batcher, jobs, runs_ahead=True)
    first = shared.busy()
    others = {tag: shared.ask(tag, tag, 8) for tag in range(4)}
    shared.tower.on_arrival = lambda tags: fail_if(2 in tags)
    shared.go()
    with pytest.raises(ArithmeticError):
        others.pop(2).result(SOON_S)
    for tag, job in others.items():
        np.testing.assert_array_equal(job.result(SOON_S), expected(tag, rows_of(8)))
    first.result(SOON_S)


def fail_if(wrong: bool) -> None:
    if wrong:
        raise ArithmeticError


def test_slow_rows_make_small_batches(batcher: Batcher) -> None:
    """So that a batch takes about a second at most, whatever memory holds."""
    encoder: Any = StackingEncoder(tower=StackingTower(rows_per_batch=64, row_s=0.04))
    face_of(batcher, encoder, client=1).encode_images(0, rows_of(80))
    assert 16 <= max(sum(rows for _, rows in batch) for batch in encoder.tower.batches) <= 28


def test_any_encoder_is_called_as_it_is(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    """The service's tests have encoders that do not leave their rows to others."""
    encoder = FakeEncoder()
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    patches, words = np.random.default_rng(1).random((200, 16)) < 0.5, np.random.default_rng(2).random((9, 3)) < 0.5
    face = face_of(batcher, encoder, client=1)
    images = [jobs.submit(face.encode_images, image, patches[k : k + 50]) for k in range(0, 200, 50)]
    for k, job in enumerate(images):
        np.testing.assert_array_equal(job.result(SOON_S), encoder.encode_images(image, patches[50 * k : 50 * k + 50]))
    np.testing.assert_array_equal(face.encode_texts("a b c", words), encoder.encode_texts("a b c", words))
    assert face.encode_images(image, patches[:0]).shape == (0, 16)


def test_a_called_encoder_that_runs_out_of_memory_is_called_for_less(batcher: Batcher) -> None:
    calls: list[int] = []

    class Small(FakeEncoder):
        def encode_texts(self, caption: str, coalitions: Any, *, removal: Any = "mask") -> Any:
            calls.append(len(coalitions))
            if len(coalitions) > 10:
                raise MemoryError
            return super().encode_texts(caption, coalitions)

    rows = np.random.default_rng(2).random((30, 3)) < 0.5
    encoder = Small()
    got = face_of(batcher, encoder, client=1).encode_texts("a b c", rows)
    np.testing.assert_allclose(got, FakeEncoder().encode_texts("a b c", rows), atol=1e-6)
    assert calls[:2] == [30, 15]
    assert max(calls[2:]) <= 10


def test_the_face_is_the_encoder_in_all_else(batcher: Batcher) -> None:
    encoder = StackingEncoder()
    face = face_of(batcher, encoder, client=1)
    image = np.zeros((32, 32, 3), np.uint8)
    assert face.card is encoder.card
    assert (face.text_removals, face.text_cost) == (encoder.text_removals, encoder.text_cost)
    assert (face.rows_per_call, face.shares_prefixes) == (encoder.rows_per_call, encoder.shares_prefixes)
    assert face.players("a b") == encoder.players("a b")
    assert face.text_positions(3) == encoder.text_positions(3)
    np.testing.assert_array_equal(face.view(image), encoder.view(image))
    np.testing.assert_array_equal(face.source_of_view((9, 9)), encoder.source_of_view((9, 9)))
    assert face.image_tower == "an image tower"
    assert face.text_tower is None


@pytest.mark.parametrize("seed", range(4))
def test_many_jobs_of_all_kinds(seed: int) -> None:
    """Jobs that ask, cancel, fail and take turns: who asked gets their own, and nothing is left behind."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["rows", "cancel", "fail", "turn"], size=48, p=[0.6, 0.15, 0.1, 0.15])
    sizes = rng.integers(1, 300, size=(48, 4))

    def on_batch(batch: list[tuple[int, int]]) -> None:
        if any(tag < 48 and kinds[tag] == "fail" for tag, _ in batch):
            raise InvalidCaptionError("this one")
        if sum(rows for _, rows in batch) > 50:
            raise MemoryError

    encoder: Any = StackingEncoder(tower=StackingTower(rows_per_batch=64, on_batch=on_batch))
    with Batcher(max_queued_rows=400) as batcher, ThreadPoolExecutor(12) as pool:

        def job(tag: int) -> str:
            checks = 0

            def check() -> None:
                nonlocal checks
                checks += 1
                if kinds[tag] == "cancel" and checks > 2:
                    raise CanceledError("enough")

            face = face_of(batcher, encoder, client=tag, check=check)
            for size in sizes[tag]:
                rows = rows_of(int(size), first=tag)
                if kinds[tag] == "turn":
                    with batcher.turn(check) as turn:
                        np.testing.assert_array_equal(
                            face.encode_images(100 + tag, rows[:9]), expected(100 + tag, rows[:9])
                        )
                        turn.pass_on()
                        np.testing.assert_array_equal(
                            face.encode_images(100 + tag, rows[:9]), expected(100 + tag, rows[:9])
                        )
                else:
                    np.testing.assert_array_equal(face.encode_images(tag, rows), expected(tag, rows))
            return "done"

        done = [pool.submit(job, tag) for tag in range(48)]
        for tag, future in enumerate(done):
            error = future.exception(60)
            if kinds[tag] == "fail":
                assert isinstance(error, InvalidCaptionError)
            elif kinds[tag] == "cancel":
                assert error is None or isinstance(error, CanceledError)
            else:
                assert error is None
        assert (batcher._line.rows, len(batcher._line), len(batcher._open)) == (0, 0, 0)
        assert batcher._holder is None


def test_an_idle_batcher_keeps_nothing_of_the_last_batch(batcher: Batcher) -> None:
    encoder: Any = StackingEncoder()
    face_of(batcher, encoder, client=1).encode_images(7, rows_of(4))
    batcher.forget(encoder)
    kept = weakref.ref(encoder.tower)
    del encoder
    until(lambda: kept() is None)


def test_each_batch_is_told_before_anybody_has_its_rows(jobs: ThreadPoolExecutor) -> None:
    told: list[BatchRun] = []
    with Batcher(on_batch=told.append) as batcher:
        shared = Shared(batcher, jobs)
        busy = shared.busy()
        told.clear()
        asked = [shared.ask("a", 1, 8), shared.ask("b", 2, 12)]
        shared.tower.is_open.set()
        wait([busy, *asked])
        seen = list(told)
    assert [run.rows_of for run in seen] == [{"busy": 4}, {"a": 8, "b": 12}]
    assert [(run.modality, run.rows, run.capacity_rows) for run in seen] == [("image", 4, 64), ("image", 20, 64)]
    assert all(run.started_s <= run.ended_s for run in seen)
    assert seen[0].ended_s <= seen[1].started_s


def test_a_batch_says_which_tower_it_went_through() -> None:
    told: list[BatchRun] = []
    with Batcher(on_batch=told.append) as batcher:
        face = face_of(batcher, FakeEncoder(), client="a")
        face.encode_texts("a red circle", np.ones((3, 3), dtype=bool))
        face.encode_images(np.zeros((64, 64, 3), dtype=np.uint8), np.ones((2, 16), dtype=bool))
    assert [(run.modality, run.rows_of) for run in told] == [("text", {"a": 3}), ("image", {"a": 2})]
