"""The one call: deadlines; what methods do is in their own tests."""

from __future__ import annotations

import time
from typing import Any

import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import DeadlineExceededError, InvalidParameterError
from tests.support.fake_encoder import FakeEncoder


def test_deadline_stops_the_work_between_batches() -> None:
    slow = FakeEncoder(row_s=0.002)
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError, match="forward passes done"):
        fx.explain(slow, draw_scene(1).image, "a red circle", budget=4_096, deadline_s=0.5)
    assert time.monotonic() - started < 3


def test_deadline_that_is_far_away_changes_nothing() -> None:
    seen: list[int] = []
    image, encoder = draw_scene(1).image, FakeEncoder()
    timed = fx.explain(
        encoder, image, "a red circle", budget=64, deadline_s=60, progress=lambda done, _: seen.append(done)
    )
    assert seen[-1] == timed.image_passes + timed.text_passes
    assert timed.second.tobytes() == fx.explain(encoder, image, "a red circle", budget=64).second.tobytes()


def test_a_result_that_is_finished_is_not_thrown_away() -> None:
    """The last batch may outlast the deadline."""
    encoder = FakeEncoder(row_s=0.02)
    e = fx.explain(encoder, draw_scene(1).image, "a circle", budget=16, deadline_s=0.6)
    assert e.image_passes == 18


@pytest.mark.parametrize("deadline_s", [0, -1, float("nan"), "3"])
def test_deadlines_are_seconds_above_zero(deadline_s: Any) -> None:
    with pytest.raises(InvalidParameterError, match="seconds above 0") as caught:
        fx.explain(FakeEncoder(), draw_scene(1).image, "a circle", deadline_s=deadline_s)
    assert caught.value.field == "deadline_s"
