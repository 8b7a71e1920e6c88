"""open_clip's own modules run by hand, with the attention written out: what the methods' values are checked against.

Nothing here knows of the towers' faces: the weights are read off the modules of a small CLIP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fixlip_core.types import ImageArray
from tests.fixlip_core.methods.pairs import CAPTION, Subject

__all__ = ["Layer", "Side", "sides"]


@dataclass(frozen=True)
class Layer:
    """What one block computed: q, k, v and o (before its projection) are (L, heads, d), weights (heads, L, L)."""

    q: Tensor
    k: Tensor
    v: Tensor
    weights: Tensor
    o: Tensor
    output: Tensor


@dataclass(frozen=True)
class Side:
    """One tower of a small CLIP with its input.

    Attributes:
        blocks: open_clip's.
        x: (L, W) input of the first block.
        causal: whether a position sees only those before it.
        readout: position that is pooled.
        units: positions of the players.
        target: (D,) the other side's unit embedding.
        finish: (W,) pooled output of the last block to (D,).
    """

    blocks: Any
    x: Tensor
    causal: bool
    readout: int
    units: slice
    target: Tensor
    finish: Any

    def layers(self, *, single_head_from: int | None = None) -> list[Layer]:
        """All blocks, those from ``single_head_from`` on with one head."""
        x, layers = self.x.clone().requires_grad_(), []
        for index, block in enumerate(self.blocks):
            heads = 1 if single_head_from is not None and index >= single_head_from else block.attn.num_heads
            layers.append(_layer(block, x, heads, self.causal))
            x = layers[-1].output
        return layers

    def cosine(self, pooled: Tensor) -> Tensor:
        """Of a pooled output (W,) with the other side."""
        return F.normalize(self.finish(pooled), dim=-1) @ self.target


def _layer(block: Any, x: Tensor, heads: int, causal: bool) -> Layer:
    attention = block.attn
    projected = F.linear(block.ln_1(x), attention.in_proj_weight, attention.in_proj_bias)
    q, k, v = (part.unflatten(-1, (heads, -1)) for part in projected.chunk(3, dim=-1))
    logits = torch.einsum("qhd,khd->hqk", q, k) * q.shape[-1] ** -0.5
    if causal:
        logits = logits + torch.full((len(x), len(x)), float("-inf")).triu(1)
    weights = logits.softmax(dim=-1)
    o = torch.einsum("hqk,khd->qhd", weights, v)
    x = x + attention.out_proj(o.flatten(1))
    return Layer(q, k, v, weights, o, x + block.mlp(block.ln_2(x)))


def sides(subject: Subject, image: ImageArray) -> tuple[Side, Side]:
    """The image's and the text's, of :data:`tests.fixlip_core.methods.pairs.CAPTION`."""
    model, visual = subject.model, subject.model.visual
    embedded_image, embedded_text = (side[0] for side in subject.embeddings(image, CAPTION))
    ids = subject.ids(CAPTION)[0]
    end = int(ids.argmax())
    with torch.no_grad():
        patches = visual.conv1(subject.pixels(image)).flatten(2).transpose(1, 2)[0]
        tokens = torch.cat([visual.class_embedding[None], patches]) + visual.positional_embedding
        seen = visual.ln_pre(tokens)
        read = model.token_embedding(ids) + model.positional_embedding
    return (
        Side(
            blocks=visual.transformer.resblocks,
            x=seen,
            causal=False,
            readout=0,
            units=slice(1, None),
            target=embedded_text,
            finish=lambda pooled: visual.ln_post(pooled) @ visual.proj,
        ),
        Side(
            blocks=model.transformer.resblocks,
            x=read,
            causal=True,
            readout=end,
            units=slice(1, end),
            target=embedded_image,
            finish=lambda pooled: model.ln_final(pooled) @ model.text_projection,
        ),
    )
