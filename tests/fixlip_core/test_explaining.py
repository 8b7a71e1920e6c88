"""The one call: deadlines; what methods do is in their own tests."""

from __future__ import annotations

import time

import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import DeadlineExceededError
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
