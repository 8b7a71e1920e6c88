"""Turns: the device for one thread at a time, in the order in which it was asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from fixlip_core.batching import Batcher
from fixlip_core.errors import CanceledError, DeviceLostError, DeviceMemoryError, InvalidParameterError
from tests.fixlip_core.batching.waiting import SOON_S, face_of, until
from tests.support.stacking_encoder import StackingEncoder, expected, rows_of


def test_nothing_else_runs_meanwhile(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    encoder: Any = StackingEncoder()
    with batcher.turn():
        waiting = jobs.submit(face_of(batcher, encoder, client=1).encode_images, 1, rows_of(9))
        other = jobs.submit(_turn, batcher, [])
        until(lambda: len(batcher._line) == 2)
        assert encoder.tower.batches == []
    np.testing.assert_array_equal(waiting.result(SOON_S), expected(1, rows_of(9)))
    other.result(SOON_S)


def test_within_a_turn_rows_run_in_its_thread(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    threads: list[str] = []
    encoder: Any = StackingEncoder()
    encoder.tower.on_batch = lambda _: threads.append(threading.current_thread().name)
    face = face_of(batcher, encoder, client=1)
    with batcher.turn(), batcher.turn():
        np.testing.assert_array_equal(face.encode_images(1, rows_of(9)), expected(1, rows_of(9)))
    face.encode_images(1, rows_of(2))
    assert threads == [threading.current_thread().name, "batcher"]


def test_turns_and_batches_come_in_the_order_they_were_asked_for(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    order: list[Any] = []
    encoder: Any = StackingEncoder()
    encoder.tower.on_batch = lambda batch: order.append(batch[0][0])
    done = []
    with batcher.turn():
        for place in range(6):
            if place % 2:
                done.append(jobs.submit(_turn, batcher, order, place))
            else:
                face = face_of(batcher, encoder, client=place)
                done.append(jobs.submit(face.encode_texts, f"{place} {place}", rows_of(1)))
            until(lambda: len(batcher._line) == len(done))
    for job in done:
        job.result(SOON_S)
    assert order == [0, 1, 2, 3, 4, 5]


def test_passing_on_lets_those_who_wait_have_one_batch_each(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    order: list[Any] = []
    encoder: Any = StackingEncoder()
    encoder.tower.on_batch = lambda batch: order.append(batch[0][0])
    with batcher.turn() as turn:
        turn.pass_on()  # nobody waits
        large = jobs.submit(face_of(batcher, encoder, client="large").encode_images, 1, rows_of(300))
        until(lambda: len(batcher._line) == 1)
        other = jobs.submit(_turn, batcher, order, "turn")
        until(lambda: len(batcher._line) == 2)
        turn.pass_on()
        assert order == [1, "turn"]
        assert batcher._has_turn()
        turn.pass_on()
        assert order == [1, "turn", 1]
    large.result(SOON_S)
    other.result(SOON_S)


def test_check_ends_the_waiting_for_a_turn(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    def check() -> None:
        raise CanceledError("enough")

    def wait() -> None:
        with batcher.turn(check):
            pytest.fail("the device is another's")

    with batcher.turn():
        with pytest.raises(CanceledError):
            jobs.submit(wait).result(SOON_S)
        assert len(batcher._line) == 0
    with batcher.turn():
        pass


def test_check_ends_a_turn_that_was_passed_on(batcher: Batcher, jobs: ThreadPoolExecutor) -> None:
    encoder: Any = StackingEncoder()
    encoder.tower.is_open.clear()

    def check() -> None:
        raise CanceledError("enough")

    with batcher.turn(check) as turn:
        waiting = jobs.submit(face_of(batcher, encoder, client=1).encode_images, 1, rows_of(2))
        until(lambda: len(batcher._line) == 1)
        with pytest.raises(CanceledError):
            turn.pass_on()
    encoder.tower.is_open.set()
    assert len(waiting.result(SOON_S)) == 2
    with batcher.turn():
        assert batcher._has_turn()


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (MemoryError(), DeviceMemoryError),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), DeviceMemoryError),
        (RuntimeError("CUDA error: device-side assert triggered"), DeviceLostError),
        (InvalidParameterError("no", field="p"), InvalidParameterError),
        (RuntimeError("a bug"), RuntimeError),
    ],
)
def test_what_the_device_does_within_is_told_by_name(
    batcher: Batcher, raised: Exception, becomes: type[Exception]
) -> None:
    with pytest.raises(becomes) as caught, batcher.turn():
        raise raised
    assert type(caught.value) is becomes
    if becomes is DeviceLostError:
        with pytest.raises(DeviceLostError), batcher.turn():
            pytest.fail("the device is lost")
    else:
        with batcher.turn():
            assert batcher._has_turn()


def test_a_turn_counts_as_work(batcher: Batcher) -> None:
    before = batcher.statistics.busy_s
    with batcher.turn():
        threading.Event().wait(0.05)
    until(lambda: batcher.statistics.busy_s >= before + 0.05)
    assert batcher.statistics.batches == 0


def _turn(batcher: Batcher, order: list[Any], name: Any = "turn") -> None:
    with batcher.turn():
        order.append(name)
