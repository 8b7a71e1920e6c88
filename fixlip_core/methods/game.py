"""GAME, generic attention explainability (Chefer et al., arXiv 2103.15679), for two towers.

From the identity, R <- R + mean over heads of relu(dscore/dA * A) R for the attentions A of each block, first to last.
The values are the pooled position's row of R: CLS, EOS, or the row of an attention pool's query, taken through R.
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
from fixlip_core.methods.attribution_parameters import GameParameters
from fixlip_core.methods.costs import cost_of_game, from_end
from fixlip_core.methods.recording import record, rows_of_readout
from fixlip_core.methods.sides import Side, differentiable, open_pair
from fixlip_core.types import ImageInput

__all__ = ["run"]


@differentiable()
def run(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    parameters: GameParameters,
    progress: Callable[[int, int], None] | None,
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`."""
    pair = open_pair("game", encoder, image, caption, parameters, progress, cost=cost_of_game, score=parameters.score)
    values = [
        _relevance(side, target, start=from_end(side.depth, parameters.block), scale=pair.game.scale)
        for side, target in pair.facing()
    ]
    return attribute_players(pair, "GAME", values)


def _relevance(side: Side, target: Tensor, *, start: int, scale: float) -> Tensor:
    """(players,) the pooled row of R after the last attention."""
    cosine, calls = record(side, target, start=start)
    gradients = grad(scale * cosine, [call.weights for call in calls])
    relevance = torch.eye(side.state.shape[1], device=side.state.device)
    for call, gradient in zip(calls, gradients, strict=True):
        mixing = F.relu(gradient * call.weights).detach().float().mean(dim=-3)[0]
        if len(mixing) == len(relevance):
            relevance = relevance + mixing @ relevance
        elif side.merge_pool is None:
            # The last block was asked for the pooled position alone: the other rows of R are not needed any more.
            relevance = rows_of_readout(relevance, side.readout) + mixing @ relevance
        else:
            # A pool's query is no position: it has no row to add to, and its keys may leave class tokens out.
            relevance = mixing @ relevance[-mixing.shape[-1] :]
    return rows_of_readout(relevance, side.readout).mean(dim=0)[list(side.units)]
