"""M2IB (Wang et al., arXiv 2312.17174): how much of each player must pass a noisy channel for the pair to match.

Behind a block of each tower the states h become z = lambda h + (1 - lambda) eps with lambda = sigmoid(alpha), one alpha
for every position and channel. It is fitted to keep the cosine with the other side's embedding and to let little
through: beta * mean KL - mean cosine. A player's value is the information that its states keep, in nats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import grad

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
from fixlip_core.methods.attribution import attribute_players
from fixlip_core.methods.attribution_parameters import M2ibParameters
from fixlip_core.methods.costs import above_noise, cost_of_m2ib, part_above
from fixlip_core.methods.meter import Meter
from fixlip_core.methods.recording import similarity
from fixlip_core.methods.sides import Side, differentiable, open_pair
from fixlip_core.types import ImageInput

__all__ = ["information", "run"]

_INITIAL_ALPHA = 5.0


@differentiable()
def run(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    parameters: M2ibParameters,
    progress: Callable[[int, int], None] | None,
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`. The towers are fitted one after the other."""
    pair = open_pair("m2ib", encoder, image, caption, parameters, progress, cost=cost_of_m2ib, score="cosine")
    generator = torch.Generator(pair.image.state.device).manual_seed(parameters.seed)
    values = [_fit(side, target, parameters, generator, pair.meter) for side, target in pair.facing()]
    return attribute_players(pair, "M2IB", values)


def information(h: Tensor, alpha: Tensor) -> Tensor:
    """KL divergence from the channel's output to the standard normal, per element and in nats.

    -1/2 (1 + log (1 - lambda)^2 - (lambda h)^2 - (1 - lambda)^2), of the shape of ``h`` and ``alpha``.
    """
    kept, noise = torch.sigmoid(alpha), torch.sigmoid(-alpha)
    return -0.5 * (1 + 2 * F.logsigmoid(-alpha) - (kept * h).square() - noise.square())


def _fit(side: Side, target: Tensor, parameters: M2ibParameters, generator: torch.Generator, meter: Meter) -> Tensor:
    """(players,) information that is left after the last step."""
    start = above_noise(side.depth, parameters.block)
    state = side.below(start)
    h = state.float()
    alpha = torch.full_like(h, _INITIAL_ALPHA).requires_grad_()
    adam = _Adam(parameters.learning_rate)
    for _ in range(parameters.steps):
        noise = torch.randn((parameters.copies, *h.shape[1:]), generator=generator, device=h.device)
        z = torch.sigmoid(alpha) * h + torch.sigmoid(-alpha) * noise
        cosine = similarity(side.finish(z.to(state.dtype), start=start), target)
        loss = parameters.beta * information(h, alpha).mean() - cosine.mean()
        adam.step(alpha, *grad(loss, alpha))
        meter.advance(parameters.copies * part_above(side.depth, start))
    with torch.no_grad():
        return information(h, alpha).sum(dim=-1)[0, list(side.units)]


@dataclass(slots=True)
class _Adam:
    """Kingma and Ba's Adam (arXiv 1412.6980, algorithm 1) of one tensor.

    torch's own imports its compiler at the first step, which takes as long as the whole fit.
    """

    rate: float
    mean: Tensor | float = field(default=0.0)
    square: Tensor | float = field(default=0.0)
    steps: int = field(default=0)

    @torch.no_grad()
    def step(self, parameter: Tensor, gradient: Tensor) -> None:
        self.steps += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.999 * self.square + 0.001 * gradient.square()
        mean, square = self.mean / (1 - 0.9**self.steps), self.square / (1 - 0.999**self.steps)
        parameter -= self.rate * mean / (square.sqrt() + 1e-8)
