"""Transformer blocks of open_clip and of timm through one face, taken apart at the attention.

Who runs a block gives it the attention as a function. Passes give the fused kernel; methods give one that records or
differentiates what it sees. Nothing on the model changes, so any number of them can share it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from fixlip_core.errors import UnsupportedModelError

__all__ = ["Attend", "Block", "attention_weights", "explicit", "fused", "open_clip_block", "timm_block"]

Attend: TypeAlias = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""(queries (..., heads, R, d), keys (..., heads, L, d), values, mask) -> (..., heads, R, d).

The mask is bool, True where a key may be seen, and broadcasts to (..., heads, R, L); None: every key is seen.
"""


def fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention by torch's fused kernel."""
    attended: Tensor = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return attended


def attention_weights(query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
    """(..., heads, R, L): softmax of the scaled products."""
    logits = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    if mask is not None:
        logits = logits.masked_fill(~mask, float("-inf"))
    weights: Tensor = logits.softmax(dim=-1)
    return weights


def explicit(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention written out: it can be differentiated forwards, backwards and under ``torch.vmap``."""
    return attention_weights(query, key, mask) @ value


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A pre-norm block: ``x + out(attention(norm(x)))``, then ``x + feed_forward(x)``.

    Attributes:
        heads: number of attention heads.
        norm: normalisation before the attention.
        weight: (3 A, W) projection to queries, keys and values, A being the width of all heads.
        bias: (3 A,) its bias, or None.
        query_norm: normalisation of the queries, head by head.
        key_norm: normalisation of the keys, head by head.
        head_scale: (heads, 1, 1) factors of the attended values, or None.
        out: (..., A) attended values, heads side by side, to (..., W), layer scale included.
        feed_forward: the second branch, its normalisation and layer scale included.
    """

    heads: int
    norm: Callable[[Tensor], Tensor]
    weight: Tensor
    bias: Tensor | None
    query_norm: Callable[[Tensor], Tensor]
    key_norm: Callable[[Tensor], Tensor]
    head_scale: Tensor | None
    out: Callable[[Tensor], Tensor]
    feed_forward: Callable[[Tensor], Tensor]

    def qkv(self, x: Tensor, *, row: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (..., heads, L or 1, d), keys and values (..., heads, L, d) of (..., L, W) states.

        Args:
            x: states.
            row: the only position whose query is wanted; None: all.
        """
        x = self.norm(x)
        if row is None:
            query, key, value = F.linear(x, self.weight, self.bias).chunk(3, dim=-1)
        else:
            attended = len(self.weight) // 3
            bias = (None, None) if self.bias is None else (self.bias[:attended], self.bias[attended:])
            query = F.linear(x[..., row, :].unsqueeze(-2), self.weight[:attended], bias[0])
            key, value = F.linear(x, self.weight[attended:], bias[1]).chunk(2, dim=-1)
        return self.query_norm(self._split(query)), self.key_norm(self._split(key)), self._split(value)

    def merge(self, attended: Tensor) -> Tensor:
        """(..., R, W) first branch of (..., heads, R, d) attended values."""
        scaled = attended if self.head_scale is None else attended * self.head_scale
        return self.out(scaled.transpose(-3, -2).flatten(-2))

    def __call__(
        self, x: Tensor, *, mask: Tensor | None = None, attend: Attend = fused, row: int | None = None
    ) -> Tensor:
        """(..., L, W) states after the block; of ``row`` alone, (..., 1, W)."""
        attended = self.merge(attend(*self.qkv(x, row=row), mask))
        x = attended + (x if row is None else x[..., row, :].unsqueeze(-2))
        return x + self.feed_forward(x)

    def _split(self, x: Tensor) -> Tensor:
        split: Tensor = x.unflatten(-1, (self.heads, -1))
        return split.transpose(-3, -2)


def open_clip_block(block: Any) -> Block:
    """The face of open_clip's ``ResidualAttentionBlock`` or ``CustomResidualAttentionBlock``.

    Raises:
        UnsupportedModelError: it is another kind of block, or attends in another way.
    """
    kind, attention = type(block).__name__, _attention_of(block)
    if kind == "ResidualAttentionBlock" and not hasattr(block, "ln_1_kv"):
        query_norm = key_norm = _same
        inner: Callable[[Tensor], Tensor] = attention.out_proj
    elif kind == "CustomResidualAttentionBlock" and attention.logit_scale is None:
        query_norm, key_norm = attention.ln_q, attention.ln_k
        inner = _chain(attention.ln_inner, attention.out_proj, block.ln_attn)
    else:
        raise UnsupportedModelError(f"its blocks are of a kind that is not known here: {kind}")
    return Block(
        heads=attention.num_heads,
        norm=block.ln_1,
        weight=attention.in_proj_weight,
        bias=attention.in_proj_bias,
        query_norm=query_norm,
        key_norm=key_norm,
        head_scale=getattr(attention, "head_scale", None),
        out=_chain(inner, block.ls_1),
        feed_forward=_chain(block.ln_2, block.mlp, block.ls_2),
    )


def timm_block(block: Any) -> Block:
    """The face of timm's plain ``Block``.

    Raises:
        UnsupportedModelError: it is another kind of block, or attends in another way.
    """
    attention = _attention_of(block)
    kinds = type(block).__name__, type(attention).__name__
    if kinds != ("Block", "Attention") or getattr(attention, "gate", None) is not None:
        raise UnsupportedModelError(f"its blocks are of a kind that is not known here: {'/'.join(kinds)}")
    return Block(
        heads=attention.num_heads,
        norm=block.norm1,
        weight=attention.qkv.weight,
        bias=attention.qkv.bias,
        query_norm=attention.q_norm,
        key_norm=attention.k_norm,
        head_scale=None,
        out=_chain(attention.norm, attention.proj, block.ls1),
        feed_forward=_chain(block.norm2, block.mlp, block.ls2),
    )


def _attention_of(block: Any) -> Any:
    return getattr(block, "attn", None)


def _same(x: Tensor) -> Tensor:
    return x


def _chain(*steps: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The steps one after the other, those left out that do nothing."""
    real = [step for step in steps if not isinstance(step, torch.nn.Identity)]

    def run(x: Tensor) -> Tensor:
        for step in real:
            x = step(x)
        return x

    return run
