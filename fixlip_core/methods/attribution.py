"""The explanation that an attribution becomes: values of players or of pairs, and nothing that predicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from fixlip_core.explanation import Explanation
from fixlip_core.methods.provenance import provenance
from fixlip_core.methods.sides import Pair
from fixlip_core.types import FloatArray

__all__ = ["attribute_pairs", "attribute_players"]


def attribute_players(pair: Pair, index: str, values: Sequence[Tensor], **more: float) -> Explanation:
    """The explanation of order 1 that gives every player its value.

    Args:
        pair: what is explained.
        index: name of the attribution.
        values: (n_image,) and (n_text,) values of the players.
        more: what the provenance is to say on top of the parameters.
    """
    n = len(pair.game.players)
    first = np.concatenate([side.detach().double().cpu().numpy() for side in values])
    return _explanation(pair, index, first, np.zeros((n, n)), order=1, **more)


def attribute_pairs(pair: Pair, index: str, cross: Tensor, **more: float) -> Explanation:
    """The explanation of order 2 that gives every pair of an image and a text player its value.

    Args:
        pair: what is explained.
        index: name of the attribution.
        cross: (n_image, n_text) values.
        more: what the provenance is to say on top of the parameters.
    """
    n, n_image = len(pair.game.players), pair.game.players.n_image
    second = np.zeros((n, n))
    second[:n_image, n_image:] = cross.detach().double().cpu().numpy()
    return _explanation(pair, index, np.zeros(n), second + second.T, order=2, **more)


def _explanation(
    pair: Pair, index: str, first: FloatArray, second: FloatArray, *, order: int, **more: float
) -> Explanation:
    pair.meter.complete()
    parameters = pair.parameters.model_dump()
    seed = parameters.pop("seed", None)
    parameters.pop("score", None)
    details = {**parameters, "backward_passes": pair.cost.backward_passes, **more}
    return Explanation(
        tokens=pair.game.players.tokens,
        grid=pair.game.players.grid,
        baseline=float("nan"),
        first=first,
        second=second,
        first_std_error=np.full_like(first, np.nan),
        second_std_error=np.full_like(second, np.nan),
        empty_value=pair.empty_value,
        full_value=pair.full_value,
        method=pair.method,
        index=index,
        order=order,
        p=float("nan"),
        score=pair.score,
        image_passes=pair.cost.image_passes,
        text_passes=pair.cost.text_passes,
        provenance=provenance(pair.game, seed=seed, **details),
    )
