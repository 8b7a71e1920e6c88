"""NIB (Zhu et al., arXiv 2502.14889): the cosine's gradient along a bottleneck that is opened without noise.

The input h of a block is scaled by a width from 0 to 1. A player's value is the sum over its channels of h times the
mean gradient of the cosine with the other side's embedding, at the widths 1/n, 2/n, ..., 1, as published: an
integrated gradient from the zero state, whose sum over all positions tends to cos(h) - cos(0).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import grad

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
from fixlip_core.methods.attribution import attribute_players
from fixlip_core.methods.attribution_parameters import NibParameters
from fixlip_core.methods.costs import above_bottleneck, cost_of_nib, part_above
from fixlip_core.methods.meter import Meter
from fixlip_core.methods.recording import similarity
from fixlip_core.methods.sides import Side, differentiable, open_pair
from fixlip_core.types import ImageInput

__all__ = ["run"]

_WIDTHS_PER_BATCH = 16


@differentiable()
def run(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    parameters: NibParameters,
    progress: Callable[[int, int], None] | None,
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`. Values are in units of the score."""
    pair = open_pair("nib", encoder, image, caption, parameters, progress, cost=cost_of_nib, score=parameters.score)
    scale = pair.game.scale
    values = [scale * _integrated(side, target, parameters, pair.meter) for side, target in pair.facing()]
    return attribute_players(pair, "NIB", values)


def _integrated(side: Side, target: Tensor, parameters: NibParameters, meter: Meter) -> Tensor:
    """(players,) h times the mean gradient along the way, summed over the channels."""
    start = above_bottleneck(side.depth, parameters.block, of_twelve=9)
    h = side.below(start)
    widths = torch.arange(1, parameters.steps + 1, device=h.device) / parameters.steps
    total = torch.zeros_like(h[0], dtype=torch.float32)
    for some in widths.split(_WIDTHS_PER_BATCH):
        x = (some.to(h.dtype)[:, None, None] * h).requires_grad_()
        (gradient,) = grad(similarity(side.finish(x, start=start), target).sum(), x)
        total += gradient.float().sum(dim=0)
        meter.advance(len(some) * part_above(side.depth, start))
    return (h[0].float() * total).sum(dim=-1)[list(side.units)] / parameters.steps
