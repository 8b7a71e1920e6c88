"""exCLIP (Moeller et al., arXiv 2408.14153): second-order attributions of pairs of a patch and a token.

With f, g the towers from the inputs a, b of a block on, and the references r, s, the integrated Jacobians along the
straight lines from the references are contracted with the differences D of the inputs first:

    T[d, i] = sum_c int dg_d/db[i, c] D_T[i, c],    I[d, q] = sum_c int df_d/da[q, c] D_I[q, c],    A = T^t I.

Then sum A = <f(a) - f(r), g(b) - g(s)>. A column of T is a derivative along a direction, got by differentiating the
pull-back of a dummy cotangent (torch's own forward mode keeps its nesting level in one global, so two threads would
meet in it). A row of A is a pull-back of a row of T^t. Jacobians are never formed. The integrals are sums over
midpoints, whose weights are fitted (see :meth:`_Line.weights`) unless the paper's equal ones are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import grad

from fixlip_core.defaults import GRADIENT_BYTES
from fixlip_core.encoders.blocks import explicit
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.explanation import Explanation
from fixlip_core.methods.attribution import attribute_pairs
from fixlip_core.methods.attribution_parameters import ExclipParameters
from fixlip_core.methods.costs import cost_of_exclip, from_end
from fixlip_core.methods.sides import Side, differentiable, open_pair
from fixlip_core.types import ImageInput

__all__ = ["run"]

# Of the mean squared derivative. Between 1e-3 and 1e-2 the attributions' errors hardly change.
_RIDGE = 1e-3


@differentiable()
def run(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    parameters: ExclipParameters,
    progress: Callable[[int, int], None] | None,
) -> Explanation:
    """Explain a pair; see :func:`fixlip_core.explain`. Values are in units of the score, its bias left out."""
    pair = open_pair(
        "exclip", encoder, image, caption, parameters, progress, cost=cost_of_exclip, score=parameters.score
    )
    images, texts = (_Line.of(side, parameters.block) for side in (pair.image, pair.text))
    pair.meter.advance(4)
    image_weights, text_weights = (
        line.weights(parameters.steps, parameters.rule, pair.meter.advance) for line in (images, texts)
    )
    tokens = _directional(texts, text_weights, pair.meter.advance)
    attributions = _pulled_back(images, tokens, image_weights, pair.meter.advance)
    lengths = images.ends[0].norm() * texts.ends[0].norm()
    gap = (images.ends[0] - images.ends[1]) @ (texts.ends[0] - texts.ends[1])
    return attribute_pairs(
        pair,
        "exCLIP",
        pair.game.scale * attributions[:-1, list(pair.image.units)].T / lengths,
        attributed=float(pair.game.scale * attributions.sum() / lengths),
        completeness_error=float((attributions.sum() - gap).abs() / gap.abs().clamp_min(1e-12)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """The straight line from a tower's reference to its input, where a block begins.

    Attributes:
        side: the tower and its input.
        start: index of the block.
        reference: (1, L, W) state of the reference there.
        difference: (1, L, W) state of the input, less that of the reference.
        ends: (2, D) float32 embeddings of the input and of the reference.
    """

    side: Side
    start: int
    reference: Tensor
    difference: Tensor
    ends: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, side: Side, block: int) -> _Line:
        start = from_end(side.depth, block)
        states = side.run(torch.cat([side.state, side.reference]), stop=start)
        ends = side.finish(states, start=start).float()
        return cls(side, start, states[1:], states[:1] - states[1:], ends)

    def midpoints(self, steps: int, tick: Callable[[float], None]) -> Iterator[tuple[slice, Tensor]]:
        """The midpoints of ``steps`` equal parts, few at a time: which they are, and leaves (m, L, W)."""
        above = max(self.side.depth - self.start, 1)
        at = ((torch.arange(steps, device=self.reference.device) + 0.5) / steps).to(self.reference.dtype)
        size = _copies_within(self.difference.expand(above, -1, -1))
        for first in range(0, steps, size):
            some = slice(first, min(first + size, steps))
            yield some, (self.reference + at[some, None, None] * self.difference).requires_grad_()
            tick((some.stop - first) * above / max(self.side.depth, 1))

    def weights(self, steps: int, rule: str, tick: Callable[[float], None]) -> Tensor:
        """(steps,) float32: what each midpoint counts in the integral.

        ``midpoint``: all the same. ``fitted``: the least change of that, in the sense of ridge regression, by which the
        embedding's derivatives along the line add up to its known difference between the ends. Where an attention turns
        from one position to another within a part of the line, this removes most of the quadrature's error.
        """
        equal = torch.full((steps,), 1 / steps, device=self.ends.device, dtype=torch.float64)
        if rule == "midpoint":
            return equal.float()
        slopes = torch.cat(
            [
                _derivatives([self.side.finish(x, start=self.start, attend=explicit)], x, self.difference)[0]
                for _, x in self.midpoints(steps, tick)
            ]
        ).double()
        missing = self.ends[0] - self.ends[1] - equal @ slopes
        gram = slopes @ slopes.T
        ridge = _RIDGE * gram.diagonal().mean() * torch.eye(steps, device=gram.device)
        fitted: Tensor = equal + torch.linalg.pinv(gram + ridge, hermitian=True) @ slopes @ missing
        return fitted.float()


@dataclass(frozen=True, slots=True, eq=False)
class _Midpoints:
    """Some midpoints of a line, passed through the blocks with the graph cut at the first attention.

    Queries, keys and values are functions of their own position alone. Their derivatives along the line are therefore
    taken once, for all positions together, and no gradient need go back through their projections.

    Attributes:
        embedding: (m, D) the midpoints' embeddings.
        leaves: (m, L, W) states, then queries (m, heads, R, d), keys and values (m, heads, L, d) of the first block.
        directions: the derivative of each leaf along the line; that of the states broadcasts.
        readout: position of the query, where there is one only.
    """

    embedding: Tensor
    leaves: tuple[Tensor, ...]
    directions: tuple[Tensor, ...]
    readout: int | None

    @classmethod
    def of(cls, line: _Line, x: Tensor) -> _Midpoints:
        """The midpoints (m, L, W), which is a leaf."""
        uncut: list[Tensor] = []
        leaves: list[Tensor] = []

        def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
            if not leaves:
                uncut.extend((query, key, value))
                leaves.extend(part.detach().requires_grad_() for part in uncut)
                query, key, value = leaves
            return explicit(query, key, value, mask)

        embedding = line.side.finish(x, start=line.start, attend=attend)
        directions = line.difference, *_derivatives(uncut, x, line.difference)
        return cls(embedding, (x, *leaves), directions, line.side.readout)

    def along(self, gradients: Sequence[Tensor]) -> Tensor:
        """(..., L) float32: the derivative along the line at each position, summed over the midpoints.

        Args:
            gradients: those by :attr:`leaves`, each (..., *shape of the leaf).
        """
        total = torch.einsum("...mlw,mlw->...l", gradients[0], self.directions[0].expand_as(self.leaves[0])).float()
        for gradient, direction in zip(gradients[1:], self.directions[1:], strict=True):
            part = torch.einsum("...mhld,mhld->...l", gradient, direction).float()
            if part.shape[-1] < total.shape[-1]:
                part = F.pad(part, (self.readout or 0, total.shape[-1] - (self.readout or 0) - 1))
            total = total + part
        return total


def _derivatives(outputs: Sequence[Tensor], x: Tensor, direction: Tensor) -> tuple[Tensor, ...]:
    """The derivatives of ``outputs`` along a direction of ``x``: J v, being linear in u, from the pull-back J^t u."""
    if not outputs:
        return ()
    dummies = [torch.zeros_like(output, requires_grad=True) for output in outputs]
    (pulled,) = grad(outputs, x, dummies, create_graph=True)
    return grad((pulled * direction).sum(), dummies)


def _directional(line: _Line, weights: Tensor, tick: Callable[[float], None]) -> Tensor:
    """(players + 1, D): T^t, each token's derivatives along its own difference; the marks' together come last."""
    device = line.difference.device
    units = torch.tensor(line.side.units, device=device)
    total = torch.zeros(len(units) + 1, line.ends.shape[1], device=device)
    for which, x in line.midpoints(len(weights), tick):
        some = _Midpoints.of(line, x)
        dummy = torch.zeros_like(some.embedding, requires_grad=True)
        along = some.along(grad(some.embedding, some.leaves, dummy, create_graph=True))
        players = torch.cat([along[units], along.sum()[None] - along[units].sum()])
        for rows in torch.eye(len(players), device=device).split(_copies_within(x)):
            (pushed,) = grad(players, dummy, rows, is_grads_batched=True, retain_graph=True)
            total += rows.T @ torch.einsum("rmd,m->rd", pushed.float(), weights[which])
    return total


def _pulled_back(line: _Line, cotangents: Tensor, weights: Tensor, tick: Callable[[float], None]) -> Tensor:
    """(rows, L): for each cotangent of (rows, D), its pull-backs along the difference at every position."""
    total = torch.zeros(len(cotangents), line.difference.shape[1], device=cotangents.device)
    for which, x in line.midpoints(len(weights), tick):
        some = _Midpoints.of(line, x)
        weighted = (cotangents[:, None] * weights[which, None]).to(x.dtype)
        parts = [
            some.along(grad(some.embedding, some.leaves, rows, is_grads_batched=True, retain_graph=True))
            for rows in weighted.split(_copies_within(x))
        ]
        total += torch.cat(parts)
    return total


def _copies_within(x: Tensor) -> int:
    """How many copies of a tensor fit into the bytes that one batch of gradients may take."""
    return max(1, GRADIENT_BYTES // (x.numel() * x.element_size()))
