"""One value for each player, of any explanation: what metrics and maps of the first order look at."""

from __future__ import annotations

import numpy as np

from fixlip_core.explanation import Explanation
from fixlip_core.types import FloatArray

__all__ = ["Saliency", "saliency_of", "to_unit_range"]

Saliency = tuple[FloatArray, FloatArray]
"""(n_image,) values of the image players and (n_text,) values of the text players."""


def saliency_of(explanation: Explanation) -> Saliency:
    """The first-order values; at order 2 the main effects, see :meth:`fixlip_core.Explanation.main_effects`."""
    effects = explanation.main_effects()
    return effects[: explanation.n_image], effects[explanation.n_image :]


def to_unit_range(values: FloatArray) -> FloatArray | None:
    """``values`` shifted and scaled so that the least is 0 and the greatest 1; None where all are equal or one is nan.

    It is what M2IB (arXiv 2312.17174) does to its maps. Of signed values 0 is the most negative one, not none at all.
    """
    spread = np.ptp(values) if len(values) else 0.0
    return np.asarray((values - values.min()) / spread) if spread > 0 else None
