"""The cooperative game of FIxLIP: its players are patches and tokens, its value the similarity of the masked pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fixlip_core.defaults import IMAGE_ROWS_PER_CALL, TEXT_ROWS_PER_CALL
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import InvalidParameterError
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, FloatArray, ImageArray, ImageInput

__all__ = ["SimilarityGame"]


@dataclass(frozen=True, slots=True)
class SimilarityGame:
    """v(x) = scale * <a(x_I), b(x_T)> + bias, with a and b the towers' unit embeddings of what is present.

    Build it with :meth:`of`.

    Attributes:
        encoder: the two towers.
        view: (H, W, 3) uint8, what the model sees of the image.
        caption: the caption.
        players: patches, then tokens.
        scale: t: the model's logit scale, or 1 for the cosine.
        bias: the model's logit bias, or 0 for the cosine.
        on_passes: called with the number of passes after each batch; what it raises stops the evaluation.
    """

    encoder: DualEncoder
    view: ImageArray
    caption: str
    players: Players
    scale: float
    bias: float
    on_passes: Callable[[int], None] = field(default=lambda _: None)

    @classmethod
    def of(
        cls,
        encoder: DualEncoder,
        image: ImageInput,
        caption: str,
        *,
        score: str = "logit",
        on_passes: Callable[[int], None] = lambda _: None,
    ) -> SimilarityGame:
        """The game of a pair.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidCaptionError: the caption cannot be used with this model.
            InvalidParameterError: ``score`` is neither ``logit`` nor ``cosine``.
        """
        if score not in ("logit", "cosine"):
            raise InvalidParameterError(f"score must be logit or cosine, not {score!r}", field="score")
        card = encoder.card
        scale, bias = (card.logit_scale, card.logit_bias) if score == "logit" else (1.0, 0.0)
        return cls(encoder, encoder.view(image), caption, encoder.players(caption), scale, bias, on_passes)

    def image_embeddings(self, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32: the image under (m, patches) coalitions."""
        return self._in_batches(
            lambda rows: self.encoder.encode_images(self.view, rows), coalitions, IMAGE_ROWS_PER_CALL
        )

    def text_embeddings(self, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32: the caption under (m, tokens) coalitions."""
        return self._in_batches(
            lambda rows: self.encoder.encode_texts(self.caption, rows), coalitions, TEXT_ROWS_PER_CALL
        )

    def value(self, coalitions: Coalitions) -> FloatArray:
        """(m,) float64: v of (m, n) joint coalitions. Equal halves are passed through their tower once."""
        n = self.players.n_patches
        images, image_row = np.unique(coalitions[:, :n], axis=0, return_inverse=True)
        texts, text_row = np.unique(coalitions[:, n:], axis=0, return_inverse=True)
        a = self.image_embeddings(images).astype(np.float64)[image_row]
        b = self.text_embeddings(texts).astype(np.float64)[text_row]
        return self.similarity(a, b)

    def similarity(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """(m,) float64: the score of (m, D) image embeddings and (m, D) text embeddings, row by row."""
        return np.asarray(self.scale * np.einsum("md,md->m", a, b) + self.bias, dtype=np.float64)

    def empty_and_full(self) -> tuple[float, float]:
        """v(empty) and v(full): two passes of each tower."""
        n = len(self.players)
        values = self.value(np.stack([np.zeros(n, bool), np.ones(n, bool)]))
        return float(values[0]), float(values[1])

    def _in_batches(self, encode: Callable[[Coalitions], Embeddings], coalitions: Coalitions, rows: int) -> Embeddings:
        parts = []
        for start in range(0, len(coalitions), rows):
            batch = coalitions[start : start + rows]
            parts.append(encode(batch))
            self.on_passes(len(batch))
        return np.concatenate(parts) if parts else np.empty((0, self.encoder.card.embed_dim), np.float32)
