"""open_clip's native CLIP (ViT image tower, causal text tower) behind the encoder seam.

Removal is that of FIxLIP (arXiv 2508.05430). A removed patch is zero after normalisation; CLIP's patch embedding has
no bias, so the patches are embedded once and the embeddings masked. A removed token's key is masked in every layer.
The text tower is causal and pools at EOS, so it runs to EOS only, and coalitions share their common beginnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from fixlip_core.captions import tokenize_caption
from fixlip_core.defaults import POSITIONS_PER_BATCH
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.prefixes import encode_by_prefix, shares_prefixes
from fixlip_core.encoders.tokenizer import CLIP_BPE, load_tokenizer
from fixlip_core.errors import InvalidParameterError, UnsupportedModelError
from fixlip_core.images import to_rgb
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, ImageArray, ImageInput

__all__ = ["ClipEncoder"]

_POOLS_AT_EOS = ("argmax", "eos")


@dataclass(frozen=True)
class ClipEncoder:
    """A CLIP whose image and caption can be masked player by player.

    Args:
        model: an open_clip ``CLIP`` or ``CustomTextCLIP`` with a ViT image tower and a causal text tower, in
            evaluation mode.
        preprocess: open_clip's evaluation transform: resize and crop on PIL images, then tensor and normalisation.
        card: the model's identity and limits.

    Raises:
        UnsupportedModelError: the towers are not of this kind.
    """

    model: Any
    preprocess: Any
    card: ModelCard

    def __post_init__(self) -> None:
        _check_towers(self.model)

    @cached_property
    def text_cost(self) -> float:
        """Cost of one text position relative to a whole image pass, by the multiplications of the blocks."""
        image, text = (tower.transformer.resblocks for tower in (self.model.visual, self._text))
        positions = self.card.grid[0] * self.card.grid[1] + 1
        return _weights_in(text) / (_weights_in(image) * positions)

    @cached_property
    def shares_prefixes(self) -> bool:
        """Whether equal beginnings of text coalitions are computed once."""
        return shares_prefixes(self._text.transformer.resblocks)

    @property
    def _text(self) -> Any:
        """The module that holds the text tower: the model itself, or its ``text``."""
        return getattr(self.model, "text", self.model)

    @property
    def _device(self) -> torch.device:
        return torch.device(self.card.device)

    def view(self, image: ImageInput) -> ImageArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.view`.

        Raises:
            InvalidImageError: ``image`` is no picture.
        """
        picture = to_rgb(image)
        for step in self._steps(until_tensor=True):
            picture = step(picture)
        return np.asarray(picture, dtype=np.uint8)

    def players(self, caption: str) -> Players:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.players`.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
        """
        return Players(self.card.grid, self._tokenize(caption).texts)

    @torch.inference_mode()
    def encode_images(self, image: ImageInput, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32 unit embeddings of ``image`` under (m, patches) coalitions.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``coalitions`` is not of shape (m, patches).
        """
        visual = self.model.visual
        height, width = self.card.grid
        present = _checked(coalitions, height * width)
        pixels: Any = Image.fromarray(self.view(image))
        for step in self._steps(until_tensor=False):
            pixels = step(pixels)
        pixels = pixels.to(self._device, visual.conv1.weight.dtype)
        patches = visual.conv1(pixels[None]).flatten(2).transpose(1, 2)
        prefix = visual.class_embedding.to(patches.dtype)[None, None]
        positions = visual.positional_embedding.to(patches.dtype)
        embeddings = []
        for rows in self._batches(present, 1 + height * width):
            masked = patches * rows[:, :, None].to(patches.dtype)
            x = torch.cat([prefix.expand(len(rows), 1, -1), masked], dim=1) + positions
            pooled, _ = visual._pool(visual.transformer(visual.ln_pre(x)))
            embeddings.append(_unit(pooled if visual.proj is None else pooled @ visual.proj))
        return np.concatenate(embeddings) if embeddings else np.empty((0, self.card.embed_dim), np.float32)

    @torch.inference_mode()
    def encode_texts(self, caption: str, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32 unit embeddings of ``caption`` under (m, tokens) coalitions.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
            InvalidParameterError: ``coalitions`` is not of shape (m, tokens).
        """
        text = self._text
        ids = self._tokenize(caption).ids
        present = _checked(coalitions, len(ids))
        marks = load_tokenizer(CLIP_BPE)
        line = torch.tensor([marks.bos_id, *ids, marks.eos_id], device=self._device)
        dtype = text.transformer.get_cast_dtype()
        x = text.token_embedding(line).to(dtype) + text.positional_embedding[: len(line)].to(dtype)
        if not len(present):
            return np.empty((0, self.card.embed_dim), np.float32)
        if self.shares_prefixes:
            last = encode_by_prefix(text.transformer.resblocks, x, present)
        else:
            last = torch.cat([self._masked_tower(x, rows) for rows in self._batches(present, len(line))])
        return _unit(self._project(text.ln_final(last)))

    def _masked_tower(self, x: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """(m, width) state at EOS, each row of ``present`` (m, tokens) run by itself."""
        blocks, length = self._text.transformer, len(x)
        keys = F.pad(present, (1, 1), value=True)[:, None, :]
        causal = torch.full((length, length), float("-inf"), device=x.device, dtype=x.dtype).triu(1)
        heads = blocks.resblocks[0].attn.num_heads
        mask = causal.masked_fill(~keys, float("-inf")).repeat_interleave(heads, dim=0)
        last: torch.Tensor = blocks(x.expand(len(present), -1, -1), attn_mask=mask)[:, -1]
        return last

    def _project(self, pooled: torch.Tensor) -> torch.Tensor:
        projection = self._text.text_projection
        if projection is None:
            return pooled
        projected: torch.Tensor = projection(pooled) if callable(projection) else pooled @ projection
        return projected

    def _tokenize(self, caption: str) -> Any:
        return tokenize_caption(caption, tokenizer=self.card.tokenizer, max_tokens=self.card.max_tokens)

    def _steps(self, *, until_tensor: bool) -> Iterator[Callable[[Any], Any]]:
        """The transform's steps on PIL images, or those from the first tensor on."""
        steps = list(self.preprocess.transforms)
        first = next(k for k, step in enumerate(steps) if type(step).__name__ in ("ToTensor", "MaybeToTensor"))
        return iter(steps[:first] if until_tensor else steps[first:])

    def _batches(self, present: Coalitions, positions: int) -> Iterator[torch.Tensor]:
        rows = max(1, POSITIONS_PER_BATCH // positions)
        for start in range(0, len(present), rows):
            yield torch.tensor(present[start : start + rows], device=self._device)


def _checked(coalitions: Coalitions, n: int) -> Coalitions:
    present = np.ascontiguousarray(coalitions)
    if present.ndim != 2 or present.shape[1] != n or present.dtype != np.bool_:
        raise InvalidParameterError(
            f"coalitions must be bool of shape (m, {n}), not {present.dtype} of shape {present.shape}",
            field="coalitions",
        )
    return present


def _unit(pooled: torch.Tensor) -> Embeddings:
    unit: Embeddings = F.normalize(pooled.float(), dim=-1).cpu().numpy()
    return unit


def _weights_in(blocks: Any) -> int:
    return sum(parameter.numel() for parameter in blocks.parameters() if parameter.ndim == 2)


def _check_towers(model: Any) -> None:
    """Refuse towers whose masking this adapter would get wrong, by what distinguishes them."""
    visual, text = model.visual, getattr(model, "text", model)
    pool = getattr(text, "text_pool_type", getattr(text, "pool_type", None))
    reasons = {
        "its image tower is not open_clip's own ViT": type(visual).__name__ != "VisionTransformer",
        "its image tower pools by attention": getattr(visual, "attn_pool", None) is not None,
        "its text tower is not open_clip's own transformer": not hasattr(text, "token_embedding"),
        "its text tower is not causal": getattr(text, "attn_mask", None) is None,
        "its text tower does not pool at the end of the caption": pool not in _POOLS_AT_EOS,
        "its text tower has a class token": getattr(text, "cls_emb", None) is not None,
    }
    for reason, holds in reasons.items():
        if holds:
            raise UnsupportedModelError(f"the CLIP adapter cannot run this model: {reason}")
