"""Explanations to draw, with chosen values, and a scene to draw them over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest

from fixlip_core.demo.scenes import draw_scene
from fixlip_core.explanation import Explanation
from fixlip_core.types import FloatArray, ImageArray

MakeExplanation: TypeAlias = Callable[..., Explanation]


@pytest.fixture(scope="session")
def view() -> ImageArray:
    """(128, 128, 3) uint8: a scene as the demo encoder sees it."""
    return draw_scene(7, n_objects=2).image


@pytest.fixture(scope="session")
def white() -> ImageArray:
    """(64, 64, 3) uint8: nothing that would darken a tint."""
    return np.full((64, 64, 3), 255, dtype=np.uint8)


@pytest.fixture(scope="session")
def make_explanation() -> MakeExplanation:
    """Makes an explanation with the given values, or with seeded random ones."""

    def make(
        tokens: Sequence[str] = ("red", "circle"),
        grid: tuple[int, int] = (4, 4),
        *,
        first: FloatArray | None = None,
        second: FloatArray | None = None,
        seed: int = 0,
        **fields: Any,
    ) -> Explanation:
        n = grid[0] * grid[1] + len(tokens)
        rng = np.random.default_rng(seed)
        pairs = np.triu(rng.normal(size=(n, n)), 1) if second is None else np.triu(second, 1)
        given = {
            "tokens": tuple(tokens),
            "grid": grid,
            "baseline": 0.5,
            "first": rng.normal(size=n) if first is None else first,
            "second": pairs + pairs.T,
            "first_std_error": np.full(n, np.nan),
            "second_std_error": np.full((n, n), np.nan),
            "empty_value": 0.5,
            "full_value": 3.0,
            "method": "fixlip",
            "index": "WFBII",
            "order": 2,
            "p": 0.5,
            "score": "logit",
            "image_passes": 512,
            "text_passes": 16,
        }
        return Explanation(**{**given, **fields})

    return make
