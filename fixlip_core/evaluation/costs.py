"""What an evaluation costs, in passes, before it is made: an upper bound of each metric's own passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from fixlip_core.evaluation.insertion_deletion import sizes_needed
from fixlip_core.methods.costs import MethodCost

__all__ = [
    "FAITHFULNESS_COALITIONS",
    "EvaluationCost",
    "MetricCost",
    "cost_of_aid",
    "cost_of_confidence",
    "cost_of_faithfulness",
    "cost_of_sanity",
]

FAITHFULNESS_COALITIONS: Final = 512
"""Fresh coalitions on which ``evaluate`` judges: as many passes as an explanation takes by default."""


@dataclass(frozen=True, slots=True)
class EvaluationCost:
    """Passes of an evaluation, apart from those of the explanation.

    Attributes:
        image_passes: forward passes of the image tower.
        text_passes: forward passes of the text tower that are known beforehand.
        backward_passes: backward passes of either tower.
    """

    image_passes: int
    text_passes: int
    backward_passes: int = 0

    def __add__(self, other: EvaluationCost) -> EvaluationCost:
        return EvaluationCost(
            self.image_passes + other.image_passes,
            self.text_passes + other.text_passes,
            self.backward_passes + other.backward_passes,
        )

    @property
    def passes(self) -> int:
        """All of them, forwards and backwards."""
        return self.image_passes + self.text_passes + self.backward_passes


MetricCost: TypeAlias = Callable[[MethodCost, int, int], EvaluationCost]
"""(cost of the explanation, image players, text players) -> the cost of a metric."""


def cost_of_faithfulness(explained: MethodCost, n_image: int, n_text: int) -> EvaluationCost:
    """p-faithfulness: a pass of each tower for every coalition, equal halves once."""
    return EvaluationCost(_distinct(FAITHFULNESS_COALITIONS, n_image), _distinct(FAITHFULNESS_COALITIONS, n_text))


def cost_of_aid(explained: MethodCost, n_image: int, n_text: int) -> EvaluationCost:
    """Insertion/deletion: two nested rankings, and two subsets of every size that counts, which need not be nested."""
    sizes = len(sizes_needed(n_image + n_text))
    image, text = (2 * min(sizes, n + 1) + 2 * sizes for n in (n_image, n_text))
    return EvaluationCost(_distinct(image, n_image), _distinct(text, n_text))


def cost_of_confidence(explained: MethodCost, n_image: int, n_text: int) -> EvaluationCost:
    """Confidence: the picture and its product with the map, the caption and its half."""
    return EvaluationCost(2, 2)


def cost_of_sanity(explained: MethodCost, n_image: int, n_text: int) -> EvaluationCost:
    """Sanity: the explanation once more."""
    return EvaluationCost(explained.image_passes, explained.text_passes or 0, explained.backward_passes)


def _distinct(rows: int, players: int) -> int:
    """How many of so many coalitions of so few players can be distinct."""
    return min(rows, 1 << min(players, 62))
