"""What the methods' tests explain: small models with their encoders, and towers whose attributions are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import fixlip_core as fx
from fixlip_core.encoders.blocks import Attend, Block
from fixlip_core.encoders.dismantle import dismantle
from fixlip_core.encoders.towers import ImageTower, TextTower
from fixlip_core.encoders.transformer import TransformerEncoder
from fixlip_core.methods import METHODS
from fixlip_core.types import ImageArray
from tests.support.small_models import SmallModel, small_clip, small_siglip, write_model
from tests.support.small_tokenizers import write_siglip_tokenizer

__all__ = [
    "ATTRIBUTIONS",
    "CAPTION",
    "FAMILIES",
    "Known",
    "Subject",
    "attention_only",
    "explain",
    "linear",
    "make",
    "noise_image",
]

CAPTION = "a red circle and a blue square"
ATTRIBUTIONS = tuple(name for name, spec in METHODS.items() if spec.needs_attention)
AVERAGED = {"pool_type": "avg", "final_ln_after_pool": True}
FAMILIES: dict[str, Callable[[], SmallModel]] = {
    "clip": small_clip,
    "clip-average-pool": lambda: small_clip(vision=AVERAGED),
    "clip-deep-image": lambda: small_clip(vision={"layers": 5}, quick_gelu=True),
    "siglip": small_siglip,
}


@dataclass(frozen=True)
class Subject:
    """A model and the encoder made of it; the two share every weight."""

    model: Any
    encoder: TransformerEncoder

    def embeddings(self, image: ImageArray, caption: str) -> tuple[Tensor, Tensor]:
        """(1, D) unit embeddings of both sides, by open_clip's own functions."""
        with torch.no_grad():
            return (
                self.model.encode_image(self.pixels(image), normalize=True),
                self.model.encode_text(self.ids(caption), normalize=True),
            )

    def pixels(self, image: ImageArray) -> Tensor:
        """(1, 3, H, W)."""
        return self.encoder.image_tower.pictures.pixels(self.encoder.view(image))

    def ids(self, caption: str) -> Tensor:
        """(1, context) the padded caption."""
        return torch.tensor([list(self.encoder.text_tower.frame(caption).ids)])


def make(family: str, folder: Path) -> Subject:
    """A small model of a family, loaded as any other."""
    small = FAMILIES[family]()
    folder = write_model(folder / family, small)
    if small.config["text_cfg"].get("hf_tokenizer_name"):
        write_siglip_tokenizer(folder)
    card = fx.load_encoder(str(folder)).card
    return Subject(small.model, dismantle(small.model, small.preprocess, card))


def noise_image(seed: int = 0) -> ImageArray:
    """(40, 40, 3) random pixels."""
    return np.random.default_rng(seed).integers(0, 255, (40, 40, 3), dtype=np.uint8)


def explain(encoder: Any, method: str, **parameters: Any) -> fx.Explanation:
    """The explanation of one fixed pair."""
    return fx.explain(encoder, noise_image(), CAPTION, method=method, **parameters)


@dataclass(frozen=True)
class Known:
    """An encoder of towers that can be calculated by hand, on top of a real one's tokenizer and pictures.

    What it is asked for beside its towers is the real one's.
    """

    real: TransformerEncoder
    image_tower: ImageTower
    text_tower: TextTower

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def linear(real: TransformerEncoder) -> tuple[Known, Tensor, Tensor]:
    """Linear towers, with what each position contributes to the embedding.

    Returns:
        the encoder, (patches, W, D) weights of the image's positions, and (L, W, D) weights of the text's. The text's
        are those of an attention that sees every position alike, and of the pooled position's residual.
    """
    generator = torch.Generator().manual_seed(5)
    dim, patches = 8, real.card.grid[0] * real.card.grid[1]
    image_width, text_width = (
        real.image_tower.state(real.view(noise_image())).shape[2],
        real.text_tower.positions.shape[1],
    )
    image_weights = torch.randn(patches, image_width, dim, generator=generator)
    mixing, out = (torch.randn(text_width, n, generator=generator) for n in (text_width, dim))
    line = real.text_tower.line(CAPTION)
    length = len(line.ids)
    block = _plain_block(torch.cat([torch.zeros(2 * text_width, text_width), mixing.T]), heads=4)
    image_tower = replace(
        real.image_tower,
        blocks=(),
        readout=None,
        first_patch=0,
        enter=lambda embedded: embedded,
        head=lambda last, _: torch.einsum("mpw,pwd->md", last, image_weights),
    )
    text_tower = replace(real.text_tower, blocks=(block,), causal=False, head=lambda last: last[:, 0] @ out)
    line = text_tower.line(CAPTION)
    length = len(line.ids)
    text_weights = (mixing @ out / length).repeat(length, 1, 1)
    text_weights[line.readout] += out
    return Known(real, image_tower, text_tower), image_weights, text_weights


def attention_only(real: TransformerEncoder) -> tuple[Known, Tensor]:
    """An image tower of one head that does nothing but attend, whose cosine with any caption is linear: w . output.

    Returns:
        the encoder, and (W,) the direction w.
    """
    generator = torch.Generator().manual_seed(6)
    width = real.image_tower.state(real.view(noise_image())).shape[2]
    weight = torch.randn(3 * width, width, generator=generator) * width**-0.5
    direction = torch.randn(width, generator=generator) / 100

    def head(last: Tensor, _: Attend) -> Tensor:
        score = last[:, 0] @ direction
        return torch.stack([score, (1 - score.square()).sqrt()], dim=-1)

    def text_head(last: Tensor) -> Tensor:
        return torch.tensor([1.0, 0.0]).expand(len(last), 2) + 0 * last[:, 0, :1]

    image_tower = replace(real.image_tower, blocks=(_plain_block(weight, heads=1),), readout=0, head=head)
    return Known(real, image_tower, replace(real.text_tower, head=text_head)), direction


def _plain_block(weight: Tensor, *, heads: int) -> Block:
    """An attention with these projections, and nothing else but the residual."""
    return Block(
        heads=heads,
        norm=lambda x: x,
        weight=weight,
        bias=None,
        query_norm=lambda x: x,
        key_norm=lambda x: x,
        head_scale=None,
        out=lambda x: x,
        feed_forward=torch.zeros_like,
    )
