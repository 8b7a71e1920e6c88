"""A tiny run on the demo encoder, and outcomes with chosen figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.benchmarking import Figure, Outcome, Setup, Variant, parse_variants, run_benchmark
from fixlip_core.datasets import SceneDataset

MakeOutcome: TypeAlias = Callable[..., Outcome]

SMALL = ("fixlip:budget=32", "fixlip:budget=32+order=1+index=shapley", "grad_eclip")


@pytest.fixture(scope="session")
def variants() -> tuple[Variant, ...]:
    return parse_variants(SMALL)


@pytest.fixture(scope="session")
def outcomes(demo: fx.DualEncoder, variants: tuple[Variant, ...]) -> list[Outcome]:
    """Two scenes by three variants."""
    return list(run_benchmark(demo, SceneDataset(), variants, scenes=2))


@pytest.fixture(scope="session")
def setup() -> Setup:
    return Setup(
        data="demo (seed 0)",
        model="demo",
        revision="sha256:0",
        precision="fp32",
        device="cpu",
        seed=0,
        budget=64,
        version="1.0",
    )


@pytest.fixture(scope="session")
def make_outcome() -> MakeOutcome:
    """Makes an outcome of a variant with the given figures by ``METRIC_NAME``; None where there is no value."""

    def make(variant: str, index: int, *, flipped: bool = False, error: str = "", **values: float | None) -> Outcome:
        figures = []
        for key, value in values.items():
            metric, _, name = key.partition("_")
            note = None if value is not None else "has no value"
            figures.append(Figure(metric, name, value, None, None, higher_is_better=True, note=note))
        return Outcome(
            sample=f"scene-{index}",
            index=index,
            caption="a red circle",
            n_objects=1 + index % 4,
            variant=variant,
            method=variant.partition(":")[0],
            parameters={"seed": index},
            seconds=0.25,
            image_passes=100,
            text_passes=1_000,
            figures=tuple(figures),
            curves=None if flipped else {"first_order_most_first": (1.0, 0.0), "first_order_least_first": (1.0, 0.5)},
            flipped=flipped,
            error=error,
        )

    return make


@pytest.fixture(scope="session")
def separated(make_outcome: MakeOutcome) -> list[Outcome]:
    """Forty samples on which fixlip is far more faithful than game, and exclip has no values."""
    rng = np.random.default_rng(0)
    found = []
    for index in range(40):
        high, low = 0.9 + 0.02 * rng.standard_normal(), 0.4 + 0.1 * rng.standard_normal()
        found.append(make_outcome("fixlip", index, faithfulness_spearman=high, faithfulness_r2=high))
        found.append(make_outcome("game", index, faithfulness_spearman=low, faithfulness_r2=None))
        found.append(make_outcome("exclip", index, faithfulness_spearman=None, faithfulness_r2=None))
    return found
