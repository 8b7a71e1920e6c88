"""What an explanation costs, in passes, before it is computed.

A pass is one through a whole tower; a part of a tower counts as that part of its blocks. Sums are rounded up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple, TypeAlias, TypeVar

from fixlip_core.methods.attribution_parameters import (
    ExclipParameters,
    GameParameters,
    GradEclipParameters,
    LegradParameters,
    M2ibParameters,
    NibParameters,
)
from fixlip_core.methods.parameters import FixlipParameters

__all__ = [
    "AttributionCost",
    "Cost",
    "Depths",
    "MethodCost",
    "above_bottleneck",
    "above_noise",
    "cost_of_exclip",
    "cost_of_fixlip",
    "cost_of_game",
    "cost_of_grad_eclip",
    "cost_of_legrad",
    "cost_of_m2ib",
    "cost_of_nib",
    "from_end",
    "part_above",
]

# v(empty) and v(full).
_END_POINTS = 2
# These; the input up to the blocks that a method looks into; and, against the other side's embedding,
# the input once more, or exCLIP's reference.
_PASSES_OF_ALL = 4


class Depths(NamedTuple):
    """Blocks of the image tower and of the text tower."""

    image: int = 12
    text: int = 12


@dataclass(frozen=True, slots=True)
class MethodCost:
    """Passes of an explanation.

    Attributes:
        image_passes: forward passes of the image tower.
        text_passes: forward passes of the text tower; None where they follow from its cost.
        backward_passes: backward passes of either tower.
    """

    image_passes: int
    text_passes: int | None
    backward_passes: int = 0


@dataclass(frozen=True, slots=True)
class AttributionCost(MethodCost):
    """Passes of an attribution, all of which are known beforehand."""

    text_passes: int


_C = TypeVar("_C", bound=MethodCost)
Cost: TypeAlias = Callable[[Any, int, int, Depths], _C]
"""(parameters, image players, text players, depths) -> the cost of an explanation."""


def from_end(depth: int, block: int) -> int:
    """Index of a block that is counted from the end (-1: the last); a tower with fewer starts at its first."""
    return max(depth + block, 0)


def above_bottleneck(depth: int, block: int | None, *, of_twelve: int) -> int:
    """Index of the first block above a bottleneck; by default two blocks or more are.

    Args:
        depth: blocks of the tower.
        block: that block from the end (-1: the last); None: where the papers have it in towers of twelve.
        of_twelve: index of that block in a tower of twelve; other depths: the same share of the blocks, rounded down.
    """
    return max(min(depth * of_twelve // 12, depth - 2), 0) if block is None else from_end(depth, block)


def above_noise(depth: int, block: int | None) -> int:
    """Index of the first block that M2IB's noise reaches: the one after ``block``; see :func:`above_bottleneck`."""
    return above_bottleneck(depth, None if block is None else block + 1, of_twelve=10)


def part_above(depth: int, start: int) -> float:
    """Share of a tower's blocks from block ``start`` on."""
    return (depth - start) / max(depth, 1)


def cost_of_fixlip(parameters: FixlipParameters, n_image: int, n_text: int, depths: Depths) -> MethodCost:
    """FIxLIP: the budget at most, or all coalitions of a small image; the text's follow from their cost."""
    budget = parameters.max_passes if parameters.budget == "auto" else parameters.budget
    image = _END_POINTS + min(budget, 2**n_image)
    return MethodCost(image, image if parameters.estimator == "joint" else None)


def cost_of_exclip(parameters: ExclipParameters, n_image: int, n_text: int, depths: Depths) -> AttributionCost:
    """exCLIP: the input and its reference, then the midpoints; a backward pass for each token and for the marks."""
    image, text = (parameters.steps * part_above(d, from_end(d, parameters.block)) for d in depths)
    # Fitting the weights takes the midpoints once more, and derivatives along a line two backward passes.
    fits = parameters.rule == "fitted"
    backward = (n_text + 1 + 2 * fits) * image + (n_text + 2 + 2 * fits) * text
    return _rounded((1 + fits) * image, (1 + fits) * text, backward)


def cost_of_m2ib(parameters: M2ibParameters, n_image: int, n_text: int, depths: Depths) -> AttributionCost:
    """M2IB: every step passes the noisy copies through the blocks above the bottleneck, and back."""
    starts = (above_noise(d, parameters.block) for d in depths)
    image, text = (
        parameters.steps * parameters.copies * part_above(d, start) for d, start in zip(depths, starts, strict=True)
    )
    return _rounded(image, text, image + text)


def cost_of_nib(parameters: NibParameters, n_image: int, n_text: int, depths: Depths) -> AttributionCost:
    """NIB: every width passes through the blocks above the bottleneck, and back."""
    starts = (above_bottleneck(d, parameters.block, of_twelve=9) for d in depths)
    image, text = (parameters.steps * part_above(d, start) for d, start in zip(depths, starts, strict=True))
    return _rounded(image, text, image + text)


def cost_of_grad_eclip(parameters: GradEclipParameters, n_image: int, n_text: int, depths: Depths) -> AttributionCost:
    """Grad-ECLIP: nothing but the input, and back through the last blocks."""
    text = part_above(depths.text, from_end(depths.text, -parameters.text_blocks))
    return _rounded(0, 0, part_above(depths.image, from_end(depths.image, -1)) + text)


def cost_of_game(parameters: GameParameters, n_image: int, n_text: int, depths: Depths) -> AttributionCost:
    """GAME: nothing but the input, and back to the first block of the rollout."""
    return _rounded(0, 0, sum(part_above(d, from_end(d, parameters.block)) for d in depths))


def cost_of_legrad(parameters: LegradParameters, n_image: int, n_text: int, depths: Depths) -> AttributionCost:
    """LeGrad: nothing but the input, and back through every block that counts."""
    return _rounded(0, 0, sum(part_above(d, from_end(d, parameters.block)) for d in depths))


def _rounded(image: float, text: float, backward: float) -> AttributionCost:
    """The cost of what a method does beyond the passes that each of them does."""
    return AttributionCost(_PASSES_OF_ALL + ceil(image), _PASSES_OF_ALL + ceil(text), ceil(backward))
