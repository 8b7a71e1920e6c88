"""Explanations made up of random numbers, one of each kind, for tests of what is done with them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from fixlip_core.explanation import Explanation

__all__ = ["attribution", "example", "made_up", "pair_attribution", "with_regions"]


def example(*, order: int = 2, seed: int = 0) -> Explanation:
    """Six patches and three tokens, FIxLIP-p at p = 0.3."""
    rng = np.random.default_rng(seed)
    n = 9
    second = rng.normal(size=(n, n)) * (order == 2)
    second = np.triu(second, 1) + np.triu(second, 1).T
    errors = np.full((n, n), np.nan)
    errors[:4, :4] = 0.25
    return Explanation(
        tokens=("a", "“red”", "🎉"),
        grid=(2, 3),
        baseline=1 / 3,
        first=rng.normal(size=n),
        second=second,
        first_std_error=np.full(n, np.nan),
        second_std_error=errors,
        empty_value=-0.1,
        full_value=7.25,
        method="fixlip",
        index="WFBII" if order == 2 else "WBV",
        order=order,
        p=0.3,
        score="logit",
        image_passes=64,
        text_passes=8,
        provenance={"seed": 3, "model": "demo", "version_torch": None},
    )


def made_up(grid: tuple[int, int], n_tokens: int, *, seed: int = 0) -> Explanation:
    """An explanation of this size, whose values float32 holds exactly."""
    rng = np.random.default_rng(seed)
    n = grid[0] * grid[1] + n_tokens
    second = np.triu(rng.normal(size=(n, n)), 1).astype(np.float32)
    return dataclasses.replace(
        example(),
        grid=grid,
        tokens=tuple(f"word{k}" for k in range(n_tokens)),
        first=rng.normal(size=n).astype(np.float32),
        second=second + second.T,
        first_std_error=rng.uniform(size=n).astype(np.float32),
        second_std_error=np.full((n, n), 0.5),
    )


def attribution(*, seed: int = 0) -> Explanation:
    """Values of the players of :func:`example` alone, that add up to nothing."""
    explanation = dataclasses.replace(example(order=1, seed=seed), method="grad_eclip", index="Grad-ECLIP")
    return _without_model(explanation)


def pair_attribution(*, seed: int = 0) -> Explanation:
    """Values of pairs of an image and a text player of :func:`example` alone, that add up to nothing."""
    explanation = example(seed=seed)
    second = explanation.second.copy()
    second[:6, :6] = second[6:, 6:] = 0
    values: dict[str, Any] = {"first": np.zeros(9), "second": second, "method": "exclip", "index": "exCLIP"}
    return _without_model(dataclasses.replace(explanation, **values))


def with_regions(*, seed: int = 0) -> Explanation:
    """Three regions of the grid of (2, 4) patches, and two words."""
    rng = np.random.default_rng(seed)
    second = rng.normal(size=(5, 5))
    second = np.triu(second, 1) + np.triu(second, 1).T
    return dataclasses.replace(
        example(),
        grid=(2, 4),
        regions=(0, 0, 1, 1, 2, 0, 2, 2),
        tokens=("red", "circle"),
        first=rng.normal(size=5),
        second=second,
        first_std_error=np.full(5, 0.1),
        second_std_error=np.full((5, 5), 0.1),
    )


def _without_model(explanation: Explanation) -> Explanation:
    nan = float("nan")
    return dataclasses.replace(
        explanation,
        baseline=nan,
        p=nan,
        estimated_r2=nan,
        first_std_error=np.full_like(explanation.first, nan),
        second_std_error=np.full_like(explanation.second, nan),
    )
