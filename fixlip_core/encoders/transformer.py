"""Encoders of two transformers behind the encoder seam: open_clip's native CLIP, and SigLIP's timm tower.

Removal is that of FIxLIP (arXiv 2508.05430). A removed patch is zero after normalisation: the patches are embedded
once, those of what stands in for them too, and embeddings are exchanged. A removed token's key is masked in every
layer, or the token replaced by padding. Causal text towers run to the pooled position only, and coalitions share
beginnings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from fixlip_core.captions import content_tokens
from fixlip_core.defaults import IMAGE_ROWS_PER_CALL, PREFIX_OVERHEAD, TEXT_ROWS_PER_CALL
from fixlip_core.encoders.batches import operations_of, positions_per_batch, rows_per_call
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.masked_images import MaskedImage, MaskedImages
from fixlip_core.encoders.masked_texts import MaskedLine, MaskedText, MaskedTexts
from fixlip_core.encoders.prefixes import SharedPrefixes, SharedText
from fixlip_core.encoders.protocol import ImageRemoval, TextRemoval
from fixlip_core.encoders.towers import ImageTower, TextLine, TextTower
from fixlip_core.encoders.weights import weights_bytes_of
from fixlip_core.errors import InvalidParameterError
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, ImageArray, ImageInput, IntArray

__all__ = ["TransformerEncoder"]


@dataclass(frozen=True, eq=False)
class TransformerEncoder:
    """Two transformers whose image and caption can be masked unit by unit.

    Args:
        image_tower: the image's transformer.
        text_tower: the caption's transformer.
        card: the model's identity and limits.
        model: the open_clip model that the towers are parts of.
    """

    image_tower: ImageTower
    text_tower: TextTower
    card: ModelCard
    model: Any

    @cached_property
    def weights_bytes(self) -> int:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.weights_bytes`."""
        return weights_bytes_of(self.model)

    @property
    def text_removals(self) -> tuple[TextRemoval, ...]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_removals`."""
        return ("mask", "token")

    @property
    def shares_prefixes(self) -> bool:
        """Whether the text tower computes equal beginnings of coalitions once."""
        return self.text_tower.causal

    @cached_property
    @torch.inference_mode()
    def text_cost(self) -> float:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_cost`."""
        images, texts = self.image_tower, self.text_tower
        view = np.zeros((*self.card.image_size_px, 3), dtype=np.uint8)
        line = TextLine((texts.pad_id,) * self.card.context_length, (1,), self.card.context_length - 1)
        # A pass of an image embeds its patches and those of what stands in for them.
        image = operations_of(lambda: (images.zero_state(view), images.finish(images.state(view))))
        text = operations_of(lambda: texts.finish(texts.state(line), line=line)) / self.card.context_length
        return text / image * (PREFIX_OVERHEAD if self.shares_prefixes else 1.0)

    @cached_property
    def _positions_per_batch(self) -> int:
        state = self.text_tower.positions[0], self.image_tower.blocks[0].weight[0]
        return positions_per_batch(self.image_tower.device, max(x.numel() * x.element_size() for x in state))

    @cached_property
    def _images(self) -> MaskedImages:
        return MaskedImages(self.image_tower, self._positions_per_batch, self.card.embed_dim)

    @cached_property
    def _texts(self) -> MaskedTexts:
        return MaskedTexts(self.text_tower, self._positions_per_batch, self.card.embed_dim)

    @cached_property
    def _prefixes(self) -> SharedPrefixes:
        return SharedPrefixes(self.text_tower, self._positions_per_batch, self.card.embed_dim)

    @property
    def rows_per_call(self) -> tuple[int, int]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.rows_per_call`."""
        if self.image_tower.device.type == "cpu":
            return IMAGE_ROWS_PER_CALL, TEXT_ROWS_PER_CALL
        patches = self.card.grid[0] * self.card.grid[1]
        return rows_per_call(self._positions_per_batch, patches, self.card.context_length)

    def text_positions(self, n_tokens: int) -> int:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.text_positions`."""
        return n_tokens + self.card.n_marks if self.shares_prefixes else self.card.context_length

    def view(self, image: ImageInput) -> ImageArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.view`.

        Raises:
            InvalidImageError: ``image`` is no picture.
        """
        return self.image_tower.pictures.view(image)

    def source_of_view(self, size: tuple[int, int]) -> IntArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.source_of_view`."""
        return self.image_tower.pictures.source_of_view(size)

    def hidden_view(self, image: ImageInput, *, removal: ImageRemoval = "zero") -> ImageArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.hidden_view`.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``removal`` is unknown.
        """
        return self.image_tower.pictures.hidden(self.view(image), removal)

    def players(self, caption: str) -> Players:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.players`.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
        """
        card = self.card
        return Players(card.grid, content_tokens(caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens))

    def masked_image(self, image: ImageInput, removal: ImageRemoval) -> MaskedImage:
        """See :meth:`fixlip_core.encoders.masked.BatchableEncoder.masked_image`.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``removal`` is unknown.
        """
        pictures, view = self.image_tower.pictures, self.view(image)
        n_patches = self.card.grid[0] * self.card.grid[1]
        return MaskedImage(self._images, pictures.pixels(view), pictures.baseline(view, removal), n_patches)

    def masked_text(self, caption: str, removal: TextRemoval) -> MaskedText | SharedText:
        """See :meth:`fixlip_core.encoders.masked.BatchableEncoder.masked_text`.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
            InvalidParameterError: ``removal`` is unknown.
        """
        if removal not in self.text_removals:
            raise InvalidParameterError(f"removal must be mask or token, not {removal!r}", field="text_removal")
        line = self.text_tower.line(caption)
        masked = MaskedLine(self.text_tower, line, replaces=removal == "token")
        if self.shares_prefixes and line.readout == len(line.ids) - 1:
            return SharedText(self._prefixes, masked)
        return MaskedText(self._texts, masked)

    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """(m, D) float32 unit embeddings of ``image`` under (m, patches) coalitions.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``coalitions`` is not of shape (m, patches), or ``removal`` unknown.
        """
        return self.masked_image(image, removal).rows(coalitions).encode()

    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "mask") -> Embeddings:
        """(m, D) float32 unit embeddings of ``caption`` under (m, tokens) coalitions.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
            InvalidParameterError: ``coalitions`` is not of shape (m, tokens), or ``removal`` unknown.
        """
        return self.masked_text(caption, removal).rows(coalitions).encode()
