"""LeGrad (Bousselham et al., arXiv 2404.03214): where more attention would raise each layer's own score.

The output of block l, pooled as the published code does (the mean over positions, or the attention pool), gives a
cosine s_l with the other side. A position's value is relu(ds_l/dA_l) averaged over heads and queries, and over the
layers; A_l is the block's attention, or the pool's. The paper is about images; the text's values follow the same
formula with the caption's own pooled position in place of the mean, which a causal tower was never trained on.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import grad

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
from fixlip_core.methods.attribution import attribute_players
from fixlip_core.methods.attribution_parameters import LegradParameters
from fixlip_core.methods.costs import cost_of_legrad, from_end
from fixlip_core.methods.recording import Recorder, similarity, units_among
from fixlip_core.methods.sides import Side, differentiable, open_pair
from fixlip_core.types import ImageInput

__all__ = ["run"]


@differentiable()
def run(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    parameters: LegradParameters,
    progress: Callable[[int, int], None] | None,
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`. Values are in units of the score."""
    pair = open_pair(
        "legrad", encoder, image, caption, parameters, progress, cost=cost_of_legrad, score=parameters.score
    )
    values = [
        pair.game.scale
        * _sensitivity(side, target, start=from_end(side.depth, parameters.block), averaged=side is pair.image)
        for side, target in pair.facing()
    ]
    return attribute_players(pair, "LeGrad", values)


def _sensitivity(side: Side, target: Tensor, *, start: int, averaged: bool) -> Tensor:
    """(players,) mean over the layers from ``start`` on."""
    x = side.below(start)
    layers = []
    for layer in range(start, side.depth):
        block, pool = Recorder(), Recorder()
        x = side.run(x.detach().requires_grad_(), start=layer, stop=layer + 1, attend=block)
        averages = averaged and side.merge_pool is None
        pooled = x.mean(dim=-2, keepdim=True).expand_as(x) if averages else x
        cosine = similarity(side.finish(pooled, start=side.depth, attend=pool), target).sum()
        (gradient,) = grad(cosine, (pool.calls or block.calls)[-1].weights)
        layers.append(F.relu(gradient).float().mean(dim=(0, 1, 2)))
    return torch.stack(layers).mean(dim=0)[units_among(side, len(layers[0]))]
