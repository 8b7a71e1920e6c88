"""Grad-ECLIP (Zhao et al., arXiv 2502.18816): values weighted by the gradient and by a loosened attention.

For the pooled position's query q, the keys k_i and values v_i of an attention, and its output o before the output
projection: H_i = relu(sum_d g_d v_id lambda_i). There g is the gradient of the cosine by o, and lambda_i, in place of
the softmax, the cosine of q and k_i after the output projection, min-max scaled over the players. The image's H is that
of the last attention; the text's is summed over the last blocks before the relu.
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
from fixlip_core.methods.attribution_parameters import GradEclipParameters
from fixlip_core.methods.costs import cost_of_grad_eclip, from_end
from fixlip_core.methods.recording import Call, record, rows_of_readout, units_among
from fixlip_core.methods.sides import Side, differentiable, open_pair
from fixlip_core.types import ImageInput

__all__ = ["run"]


@differentiable()
def run(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    parameters: GradEclipParameters,
    progress: Callable[[int, int], None] | None,
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`. Values are in units of the score."""
    pair = open_pair(
        "grad_eclip", encoder, image, caption, parameters, progress, cost=cost_of_grad_eclip, score=parameters.score
    )
    single_head = parameters.variant == "published"
    values = [
        pair.game.scale * _heat(side, target, blocks=blocks, single_head=single_head)
        for (side, target), blocks in zip(pair.facing(), (1, parameters.text_blocks), strict=True)
    ]
    return attribute_players(pair, "Grad-ECLIP", values)


def _heat(side: Side, target: Tensor, *, blocks: int, single_head: bool) -> Tensor:
    """(players,) H over the tower's last ``blocks`` blocks, or over its attention pool."""
    start = from_end(side.depth, -blocks)
    cosine, calls = record(side, target, start=start, single_head=single_head)
    merges: list[Callable[[Tensor], Tensor]] = [block.merge for block in side.blocks[start:]]
    if side.merge_pool is not None:
        calls, merges = calls[-1:], [side.merge_pool]
    gradients = grad(cosine, [call.attended for call in calls])
    maps = [_map(side, *parts) for parts in zip(calls, gradients, merges, strict=True)]
    return F.relu(torch.stack(maps).sum(dim=0))


@torch.no_grad()
def _map(side: Side, call: Call, gradient: Tensor, merge: Callable[[Tensor], Tensor]) -> Tensor:
    """(players,) sum_d g_d v_id lambda_i of one attention; the mean over the queries where all are pooled."""
    units = units_among(side, call.key.shape[-2])
    g, query = rows_of_readout(gradient, side.readout), rows_of_readout(call.query, side.readout)
    weighted = torch.einsum("bhrd,bhld->rl", g.float(), call.value[..., units, :].float())
    projected = (F.normalize(merge(x).float(), dim=-1) for x in (query, call.key[..., units, :]))
    return (weighted * _min_max(torch.einsum("brw,blw->rl", *projected))).mean(dim=0)


def _min_max(x: Tensor) -> Tensor:
    """Scaled to [0, 1] along the last axis; where all are equal they are 1: nothing tells them apart."""
    low, high = x.amin(dim=-1, keepdim=True), x.amax(dim=-1, keepdim=True)
    return torch.where(high > low, (x - low) / (high - low), 1.0)
