"""Masked rows, cut into units and put together again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders.masked import MaskedRows
from tests.support.stacking_encoder import StackingEncoder, StackingTower, expected, rows_of


def test_batches_are_full_and_of_one_bucket() -> None:
    tower = StackingTower(rows_per_batch=10)
    encoder = StackingEncoder(tower=tower)
    units = [unit for bucket in "xy" for unit in encoder.masked_text(f"7 {bucket}", "mask").rows(rows_of(18)).units]
    embeddings = MaskedRows(tuple(units), np.arange(36), 3).encode()
    np.testing.assert_array_equal(embeddings, np.concatenate([expected(7, rows_of(18))] * 2))
    assert [sum(rows for _, rows in batch) for batch in tower.batches] == [8, 10] * 2


def test_rows_are_put_back_in_the_callers_order() -> None:
    parts = [np.array([[1.0], [2.0]], np.float32), np.array([[3.0]], np.float32)]
    assembled = MaskedRows((), np.array([2, 0, 0, 1]), 1).assembled(parts)
    np.testing.assert_array_equal(assembled[:, 0], [3, 1, 1, 2])
    assert MaskedRows((), np.arange(0), 5).assembled([]).shape == (0, 5)


@pytest.mark.parametrize("rows", [1, 16, 37])
def test_an_images_units_halve(demo: Any, rows: int) -> None:
    present = np.random.default_rng(0).random((rows, 64)) < 0.5
    masked = demo.masked_image(draw_scene(0).image, "zero").rows(present)
    assert [len(unit) for unit in masked.units] == [16] * (rows // 16) + [rows % 16] * (rows % 16 > 0)
    assert sum(unit.positions for unit in masked.units) == rows * 65
    halves = [half for unit in masked.units if len(unit) > 1 for half in unit.halves()] or list(masked.units)
    whole = MaskedRows(tuple(halves), np.arange(rows), 128).encode()
    np.testing.assert_array_equal(whole, masked.encode())


def test_coalitions_are_the_callers_to_change(demo: Any) -> None:
    present = np.ones((2, 64), bool)
    masked = demo.masked_image(draw_scene(0).image, "zero").rows(present)
    whole = masked.encode()
    present[:] = False
    np.testing.assert_array_equal(masked.encode(), whole)
