"""An attention that keeps what passes through it, so that a score can be differentiated by it."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from fixlip_core.encoders.blocks import attention_weights
from fixlip_core.methods.sides import Side

__all__ = ["Call", "Recorder", "record", "rows_of_readout", "similarity", "units_among"]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One attention of one input: R queries (all positions, or the only one wanted) over L positions.

    Attributes:
        query: (1, heads, R, d).
        key: (1, heads, L, d).
        value: (1, heads, L, d).
        weights: (1, heads, R, L); (1, 1, R, L) where a single head attended.
        attended: (1, heads, R, d).
    """

    query: Tensor
    key: Tensor
    value: Tensor
    weights: Tensor
    attended: Tensor


class Recorder:
    """An :data:`fixlip_core.encoders.blocks.Attend` for one forward pass.

    Args:
        single_head: attend with one head as wide as all of them, as the published Grad-ECLIP does.

    Attributes:
        calls: the attentions, first block first; an attention pool's comes last.
    """

    def __init__(self, *, single_head: bool = False) -> None:
        self.calls: list[Call] = []
        self._single_head = single_head

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """(..., heads, R, d) attended values, whose graph leads through what is kept."""
        if self._single_head:
            weights = attention_weights(_merged(query), _merged(key), mask)
            merged = (weights @ _merged(value)).squeeze(-3)
            attended: Tensor = merged.unflatten(-1, (query.shape[-3], -1)).transpose(-3, -2)
        else:
            weights = attention_weights(query, key, mask)
            attended = weights @ value
        self.calls.append(Call(query, key, value, weights, attended))
        return attended


def _merged(x: Tensor) -> Tensor:
    """(..., 1, L, heads d) of (..., heads, L, d)."""
    return x.transpose(-3, -2).flatten(-2).unsqueeze(-3)


def similarity(embedding: Tensor, target: Tensor) -> Tensor:
    """(m,) cosines of (m, D) embeddings of any length with (1, D) of length 1."""
    return (F.normalize(embedding.float(), dim=-1) * target).sum(dim=-1)


def record(side: Side, target: Tensor, *, start: int, single_head: bool = False) -> tuple[Tensor, list[Call]]:
    """The cosine of one side with the other's embedding, and the attentions from block ``start`` on that led to it.

    Args:
        side: a tower with its input.
        target: (1, D) the other side's unit embedding.
        start: first block that is recorded.
        single_head: see :class:`Recorder`.
    """
    recorder = Recorder(single_head=single_head)
    # A leaf that wants its gradient is what makes torch keep the graph where no weight does.
    x = side.below(start).requires_grad_()
    cosine = similarity(side.finish(x, start=start, attend=recorder), target).sum()
    return cosine, recorder.calls


def units_among(side: Side, keys: int) -> list[int]:
    """Positions of the units among an attention's keys: an attention pool may leave class tokens out."""
    left_out = side.state.shape[1] - keys
    return [position - left_out for position in side.units]


def rows_of_readout(per_query: Tensor, readout: int | None) -> Tensor:
    """(..., r, L or d) of (..., R, L or d): the pooled position's query, or every query where all are pooled."""
    return per_query if per_query.shape[-2] == 1 or readout is None else per_query[..., readout : readout + 1, :]
