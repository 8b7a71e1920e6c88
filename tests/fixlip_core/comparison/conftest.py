from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest

from fixlip_core.explanation import Explanation
from fixlip_core.frames import Frame

Make: TypeAlias = Callable[..., Explanation]

CAPTION = "a red circle"


@pytest.fixture
def make() -> Make:
    """Makes explanations of random values of one pair, by default on 2 x 2 patches and three tokens."""

    def make(
        grid: tuple[int, int] = (2, 2),
        tokens: Sequence[str] = ("a", "red", "circle"),
        *,
        seed: int = 0,
        frame: Frame | None = None,
        known: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Explanation:
        regions = fields.get("regions", ())
        n_image = max(regions) + 1 if regions else grid[0] * grid[1]
        n, rng = n_image + len(tokens), np.random.default_rng(seed)
        pairs = np.triu(rng.normal(size=(n, n)), 1)
        provenance = {"caption": CAPTION, **(frame.to_provenance() if frame else {}), **(known or {})}
        given: dict[str, Any] = {
            "tokens": tuple(tokens),
            "grid": grid,
            "baseline": 0.5,
            "first": rng.normal(size=n),
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
            "image_passes": 64,
            "text_passes": 8,
            "provenance": provenance,
        }
        return Explanation(**{**given, **fields})

    return make
