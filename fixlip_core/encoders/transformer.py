"""Encoders of two transformers behind the encoder seam: open_clip's native CLIP, and SigLIP's timm tower.

Removal is that of FIxLIP (arXiv 2508.05430). A removed patch is zero after normalisation: the patches are embedded
once, those of what stands in for them too, and embeddings are exchanged. A removed token's key is masked in every
layer, or the token replaced by padding. Causal text towers run to the pooled position only, and coalitions share
beginnings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from fixlip_core.captions import content_tokens
from fixlip_core.defaults import IMAGE_ROWS_PER_CALL, PREFIX_OVERHEAD, TEXT_ROWS_PER_CALL
from fixlip_core.encoders.batches import checked_coalitions, operations_of, positions_per_batch, rows_per_call
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.prefixes import encode_by_prefix
from fixlip_core.encoders.protocol import ImageRemoval, TextRemoval
from fixlip_core.encoders.towers import ImageTower, TextLine, TextTower, unit
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
    """

    image_tower: ImageTower
    text_tower: TextTower
    card: ModelCard

    @property
    def text_removals(self) -> tuple[TextRemoval, ...]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_removals`."""
        return ("mask", "token")

    @property
    def shares_prefixes(self) -> bool:
        """Whether the text tower computes equal beginnings of coalitions once."""
        return self.text_tower.causal

    @cached_property
    def text_cost(self) -> float:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_cost`."""
        view = np.zeros((*self.card.image_size_px, 3), dtype=np.uint8)
        patches = np.ones((1, self.card.grid[0] * self.card.grid[1]), dtype=bool)
        line = TextLine((self.text_tower.pad_id,) * self.card.context_length, (1,), self.card.context_length - 1)
        image = operations_of(lambda: self.encode_images(view, patches))
        text = operations_of(lambda: self._run_line(line)) / self.card.context_length
        return text / image * (PREFIX_OVERHEAD if self.shares_prefixes else 1.0)

    @cached_property
    def _positions_per_batch(self) -> int:
        state = self.text_tower.positions[0], self.image_tower.blocks[0].weight[0]
        return positions_per_batch(self.image_tower.device, max(x.numel() * x.element_size() for x in state))

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

    def players(self, caption: str) -> Players:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.players`.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
        """
        card = self.card
        return Players(card.grid, content_tokens(caption, tokenizer=card.tokenizer, max_tokens=card.max_tokens))

    @torch.inference_mode()
    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """(m, D) float32 unit embeddings of ``image`` under (m, patches) coalitions.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``coalitions`` is not of shape (m, patches), or ``removal`` unknown.
        """
        tower, view = self.image_tower, self.view(image)
        present = checked_coalitions(coalitions, self.card.grid[0] * self.card.grid[1])
        patches = tower.patches(tower.pictures.pixels(view))
        absent = tower.patches(tower.pictures.baseline(view, removal))
        return self._embeddings(
            tower.finish(tower.enter(torch.where(rows[:, :, None], patches, absent)))
            for rows in self._batches(present, tower.first_patch + present.shape[1])
        )

    @torch.inference_mode()
    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "mask") -> Embeddings:
        """(m, D) float32 unit embeddings of ``caption`` under (m, tokens) coalitions.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
            InvalidParameterError: ``coalitions`` is not of shape (m, tokens), or ``removal`` unknown.
        """
        if removal not in self.text_removals:
            raise InvalidParameterError(f"removal must be mask or token, not {removal!r}", field="text_removal")
        line = self.text_tower.line(caption)
        return self._encode_line(line, checked_coalitions(coalitions, len(line.content)), removal)

    @torch.inference_mode()
    def _encode_line(self, line: TextLine, present: Coalitions, removal: TextRemoval) -> Embeddings:
        tower = self.text_tower
        state = tower.state(line)
        replaced = tower.replaced_state(line) if removal == "token" else None
        if not len(present):
            return self._embeddings(iter(()))
        if self.shares_prefixes and line.readout == len(line.ids) - 1:
            instead = None if replaced is None else replaced[0]
            last = encode_by_prefix(tower.blocks, state[0], line.content, present, replaced=instead)
            return self._embeddings(iter([tower.head(last[:, None])]))
        return self._embeddings(
            self._run_rows(line, state, replaced, rows) for rows in self._batches(present, len(line.ids))
        )

    @torch.inference_mode()
    def _run_line(self, line: TextLine) -> torch.Tensor:
        """(1, D) the caption as it is."""
        return self.text_tower.finish(self.text_tower.state(line), line=line)

    def _run_rows(
        self, line: TextLine, state: torch.Tensor, replaced: torch.Tensor | None, rows: torch.Tensor
    ) -> torch.Tensor:
        """(m, D) each coalition of ``rows`` (m, n) run by itself."""
        mask = self.text_tower.mask(line, rows, replaced=replaced is not None)
        x = state.expand(len(rows), -1, -1)
        if replaced is not None:
            kept = torch.ones(len(rows), len(line.ids), dtype=torch.bool, device=rows.device)
            kept[:, list(line.content)] = rows
            x = torch.where(kept[:, :, None], x, replaced)
        return self.text_tower.finish(x, line=line, mask=mask)

    def _embeddings(self, batches: Iterator[torch.Tensor]) -> Embeddings:
        parts = [unit(batch) for batch in batches]
        if not parts:
            return np.empty((0, self.card.embed_dim), np.float32)
        # One copy at the end: the device need not wait for the host between batches.
        embeddings: Embeddings = torch.cat(parts).cpu().numpy()
        return embeddings

    def _batches(self, present: Coalitions, positions: int) -> Iterator[torch.Tensor]:
        rows = max(1, self._positions_per_batch // positions)
        whole = torch.from_numpy(present).to(self.image_tower.device)
        return iter(whole.split(rows))
