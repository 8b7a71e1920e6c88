"""An encoder without weights: the only thing that the worker's tests put a fake in for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.protocol import ImageRemoval, TextRemoval
from fixlip_core.errors import InvalidCaptionError
from fixlip_core.images import to_rgb
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, ImageArray, IntArray

__all__ = ["CARD", "FakeEncoder"]

CARD = ModelCard(
    id="fake",
    weights_sha256="0123456789abcdef" * 4,
    family="clip",
    embed_dim=16,
    grid=(4, 4),
    image_size_px=(64, 64),
    context_length=16,
    n_marks=2,
    tokenizer="clip-bpe",
    attention=True,
    logit_scale=20.0,
    logit_bias=0.0,
    precision="fp32",
    device="cpu",
)


@dataclass(frozen=True, slots=True)
class FakeEncoder:
    """Two random non-linear towers over patches' mean colours and words; the same on every machine.

    Attributes:
        card: what it says of itself.
        row_s: seconds that a row of a batch takes.
        on_batch: called before every batch; may raise.
        on_view: called before every view, in the thread of the job.
        weights_bytes: what it says that its weights take.
    """

    card: ModelCard = CARD
    row_s: float = 0.0
    on_batch: Callable[[], object] = field(default=lambda: None)
    on_view: Callable[[], object] = field(default=lambda: None)
    weights_bytes: int = 0
    text_cost: float = 0.05
    shares_prefixes: bool = False
    text_removals: tuple[TextRemoval, ...] = ("mask",)
    rows_per_call: tuple[int, int] = (64, 2_048)

    def text_positions(self, n_tokens: int) -> int:
        """Words and two marks."""
        return n_tokens + 2

    def view(self, image: Any) -> ImageArray:
        """(64, 64, 3) uint8."""
        self.on_view()
        height, width = self.card.image_size_px
        return np.asarray(to_rgb(image).resize((width, height), Image.Resampling.BILINEAR))

    def source_of_view(self, size: tuple[int, int]) -> IntArray:
        """(64, 64, 2)."""
        height, width = self.card.image_size_px
        rows = (np.arange(height) * size[1]) // height
        columns = (np.arange(width) * size[0]) // width
        return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)

    def hidden_view(self, image: Any, *, removal: ImageRemoval = "zero") -> ImageArray:
        """(64, 64, 3) uint8: black."""
        return np.zeros_like(self.view(image))

    def players(self, caption: str) -> Players:
        """The patches of the card's grid and the words of ``caption``."""
        words = tuple(caption.lower().split())
        if not words:
            raise InvalidCaptionError("the caption has no words", code="caption_empty")
        return Players(self.card.grid, words)

    def encode_images(self, image: Any, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """(m, 16) float32."""
        rows, columns = self.card.grid
        view = self.view(image).astype(np.float64) / 255
        patches = view.reshape(rows, 64 // rows, columns, 64 // columns, 3).mean(axis=(1, 3)).reshape(-1, 3)
        weights = np.random.default_rng(1).normal(size=(3, self.card.embed_dim))
        places = np.random.default_rng(2).normal(size=(len(patches), self.card.embed_dim))
        return self._tower(coalitions, patches @ weights + places)

    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "mask") -> Embeddings:
        """(m, 16) float32."""
        words = [np.frombuffer(word.encode(), dtype=np.uint8).tolist() for word in self.players(caption).tokens]
        vectors = np.stack([np.random.default_rng(word).normal(size=self.card.embed_dim) for word in words])
        return self._tower(coalitions, vectors)

    def _tower(self, coalitions: Coalitions, vectors: np.ndarray) -> Embeddings:
        self.on_batch()
        time.sleep(self.row_s * len(coalitions))
        hidden = np.tanh(np.asarray(coalitions, dtype=np.float64) @ vectors / 2) + 0.1
        unit: Embeddings = (hidden / np.linalg.norm(hidden, axis=1, keepdims=True)).astype(np.float32)
        return unit
