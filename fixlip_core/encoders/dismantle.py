"""open_clip models taken apart into towers: its own ViT, timm's ViT (SigLIP), and its own text transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fixlip_core.captions import tokenize_caption
from fixlip_core.encoders.blocks import Attend, open_clip_block, timm_block
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.pictures import Pictures
from fixlip_core.encoders.tokenizer import TokenLine, load_tokenizer
from fixlip_core.encoders.towers import ImageTower, TextTower
from fixlip_core.encoders.transformer import TransformerEncoder
from fixlip_core.errors import UnsupportedModelError

__all__ = ["dismantle"]


def dismantle(model: Any, preprocess: Any, card: ModelCard) -> TransformerEncoder:
    """The encoder of an open_clip model, which stays as it is: no hooks, no copies.

    Args:
        model: an open_clip dual encoder in evaluation mode.
        preprocess: open_clip's evaluation transform.
        card: the model's identity and limits.

    Raises:
        UnsupportedModelError: one of its towers is no transformer of a kind that is known here.
        TokenizerNotFoundError: the card's tokenizer is not on this machine.
    """
    device = torch.device(card.device)
    return TransformerEncoder(_image_tower(model, preprocess, device), _text_tower(model, card, device), card, model)


def _image_tower(model: Any, preprocess: Any, device: torch.device) -> ImageTower:
    visual, pictures = model.visual, Pictures(preprocess)
    if type(visual).__name__ == "VisionTransformer":
        return _native_image_tower(visual, pictures, device)
    trunk = getattr(visual, "trunk", None)
    if type(trunk).__name__ == "VisionTransformer":
        return _timm_image_tower(visual, trunk, pictures, device)
    raise UnsupportedModelError(f"its image tower is no plain vision transformer: {type(trunk or visual).__name__}")


def _text_tower(model: Any, card: ModelCard, device: torch.device) -> TextTower:
    text = getattr(model, "text", model)
    pool = getattr(text, "text_pool_type", getattr(text, "pool_type", None))
    reasons = {
        "its text tower is not open_clip's own transformer": not hasattr(text, "token_embedding"),
        "its text tower has a class token": getattr(text, "cls_emb", None) is not None,
        f"its text tower pools in a way that is not known here: {pool}": pool not in _READOUTS,
    }
    for reason, holds in reasons.items():
        if holds:
            raise UnsupportedModelError(reason)
    tokenizer = load_tokenizer(card.tokenizer)
    eos_id = getattr(text, "text_eos_id", getattr(text, "eos_id", None))
    readout = _READOUTS[pool]

    def frame(caption: str) -> TokenLine:
        tokens = tokenize_caption(caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens)
        return tokenizer.line(tokens.ids, length=card.context_length)

    def head(last: Tensor) -> Tensor:
        pooled: Tensor = text.ln_final(last)[:, 0]
        project = text.text_projection
        if project is None:
            return pooled
        projected: Tensor = project(pooled) if callable(project) else pooled @ project
        return projected

    return TextTower(
        frame=frame,
        blocks=tuple(open_clip_block(block) for block in text.transformer.resblocks),
        causal=text.attn_mask is not None,
        pad_id=tokenizer.pad_id,
        masks_padding=bool(getattr(text, "use_pad_mask", False)),
        pools=lambda ids: readout(ids, eos_id),
        embedding=text.token_embedding,
        positions=text.positional_embedding,
        head=head,
        device=device,
        dtype=text.transformer.get_cast_dtype(),
    )


_READOUTS: dict[str | None, Callable[[Sequence[int], int | None], int]] = {
    "first": lambda ids, _: 0,
    "last": lambda ids, _: len(ids) - 1,
    "argmax": lambda ids, _: int(np.argmax(ids)),
    # As open_clip has it: the first position without such a token is position 0.
    "eos": lambda ids, eos_id: ids.index(eos_id) if eos_id in ids else 0,
}


def _native_image_tower(visual: Any, pictures: Pictures, device: torch.device) -> ImageTower:
    if visual.attn_pool is not None:
        raise UnsupportedModelError("its image tower pools by a cross-attention that is not known here")
    dtype = visual.conv1.weight.dtype

    def embed(pixels: Tensor) -> Tensor:
        patches: Tensor = visual.conv1(pixels).flatten(2).transpose(1, 2)
        return patches

    def enter(patches: Tensor) -> Tensor:
        class_token = visual.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        x = torch.cat([class_token, patches], dim=1) + visual.positional_embedding.to(patches.dtype)
        entered: Tensor = visual.ln_pre(x)
        return entered

    def head(last: Tensor, _: Attend) -> Tensor:
        pooled: Tensor = visual._pool(last)[0]
        return pooled if visual.proj is None else pooled @ visual.proj

    return ImageTower(
        pictures=pictures,
        blocks=tuple(open_clip_block(block) for block in visual.transformer.resblocks),
        readout=0 if visual.pool_type == "tok" else None,
        first_patch=1,
        embed=embed,
        enter=enter,
        head=head,
        device=device,
        dtype=dtype,
    )


def _timm_image_tower(visual: Any, trunk: Any, pictures: Pictures, device: torch.device) -> ImageTower:
    embedding = trunk.patch_embed
    if type(embedding).__name__ != "PatchEmbed" or getattr(trunk, "dynamic_img_size", False):
        raise UnsupportedModelError("its patches are not embedded each by itself on a fixed grid")
    pool = trunk.attn_pool
    if pool is not None and (type(pool).__name__ != "AttentionPoolLatent" or pool.latent_len != 1):
        raise UnsupportedModelError(f"its image tower pools in a way that is not known here: {type(pool).__name__}")
    includes_prefix = getattr(trunk, "pool_include_prefix", False)

    def enter(patches: Tensor) -> Tensor:
        entered: Tensor = trunk.norm_pre(trunk.patch_drop(trunk._pos_embed(patches)))
        return entered

    def head(last: Tensor, attend: Attend) -> Tensor:
        x = trunk.norm(last)
        if pool is None:
            pooled = trunk.pool(x)
        else:
            pooled = _attention_pool(pool, x if includes_prefix else x[:, trunk.num_prefix_tokens :], attend)
        embedded: Tensor = visual.head(trunk.head(trunk.head_drop(trunk.fc_norm(pooled))))
        return embedded

    return ImageTower(
        pictures=pictures,
        blocks=tuple(timm_block(block) for block in trunk.blocks),
        readout=0 if pool is None and trunk.global_pool == "token" else None,
        first_patch=trunk.num_prefix_tokens,
        embed=embedding,
        enter=enter,
        head=head,
        device=device,
        dtype=embedding.proj.weight.dtype,
        merge_pool=None if pool is None else lambda attended: pool.proj(attended.transpose(1, 2).flatten(2)),
    )


def _attention_pool(pool: Any, x: Tensor, attend: Attend) -> Tensor:
    """(m, W): timm's ``AttentionPoolLatent`` with a given attention: one learnt query over all positions."""
    if pool.pos_embed is not None:
        x = x + pool.pos_embed[None].to(x.dtype)
    split = (pool.num_heads, -1)
    query = pool.q(pool.latent.expand(len(x), -1, -1)).unflatten(-1, split).transpose(1, 2)
    key, value = (part.unflatten(-1, split).transpose(1, 2) for part in pool.kv(x).chunk(2, dim=-1))
    attended = attend(pool.q_norm(query), pool.k_norm(key), value, None)
    pooled: Tensor = pool.proj(attended.transpose(1, 2).flatten(2))
    if pool.mlp is not None:
        pooled = pooled + pool.mlp(pool.norm(pooled))
    return pooled[:, 0]
