"""Progress in whole passes from parts of passes."""

from __future__ import annotations

from fixlip_core.methods.meter import Meter


def test_parts_add_up_to_whole_passes() -> None:
    seen: list[tuple[int, int]] = []
    meter = Meter(lambda *state: seen.append(state))
    meter.total = 3
    for part in (0.5, 0.25, 0.25, 1.5):
        meter.advance(part)
    meter.complete()
    assert seen == [(0, 3), (0, 3), (1, 3), (2, 3), (3, 3)]


def test_never_says_more_than_there_are() -> None:
    seen: list[tuple[int, int]] = []
    meter = Meter(lambda *state: seen.append(state))
    meter.total = 2
    meter.advance(7)
    assert seen == [(2, 2)]


def test_nobody_need_listen() -> None:
    meter = Meter(None)
    meter.advance(1)
    meter.complete()
    assert meter.total == 0
