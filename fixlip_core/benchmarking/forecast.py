"""What a benchmark will take, before it runs."""

from __future__ import annotations

from collections.abc import Sequence

from fixlip_core.benchmarking.running import METRICS
from fixlip_core.benchmarking.variants import Variant
from fixlip_core.evaluation import evaluation_cost
from fixlip_core.methods import get_method
from fixlip_core.players import Players

__all__ = ["image_passes_per_sample"]


def image_passes_per_sample(variants: Sequence[Variant], players: Players, *, budget: int) -> int:
    """Most forward passes of the image tower that explaining and judging a sample by all variants takes.

    They take fewer: coalitions that several of them ask for are passed once.

    Args:
        variants: what is compared.
        players: of the sample.
        budget: image passes of methods that have a budget, where the variant does not say.
    """
    sizes = players.n_image, players.n_text
    passes = 0
    for variant in variants:
        explained = get_method(variant.method).cost(variant.parameters(budget=budget), *sizes)
        passes += explained.image_passes + evaluation_cost(METRICS, explained, *sizes).image_passes
    return passes
