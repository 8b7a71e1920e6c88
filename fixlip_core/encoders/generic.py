"""Any dual encoder of open_clip behind the encoder seam, its towers as they are: ResNet, ConvNeXt, CoCa, MobileCLIP ...

What is not known of a tower cannot be masked inside it, so its input is: a removed cell of a grid is replaced in the
normalised pixels, a removed token by the padding token. Every coalition is a pass of its own through the whole tower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F

from fixlip_core.captions import tokenize_caption
from fixlip_core.defaults import IMAGE_ROWS_PER_CALL, POSITIONS_PER_BATCH, TEXT_ROWS_PER_CALL
from fixlip_core.encoders.batches import checked_coalitions, operations_of
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.pictures import Pictures
from fixlip_core.encoders.protocol import ImageRemoval, TextRemoval
from fixlip_core.encoders.tokenizer import CaptionTokenizer, load_tokenizer
from fixlip_core.errors import InvalidParameterError
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, ImageArray, ImageInput, IntArray

__all__ = ["GenericEncoder", "nearest_grid"]

GRID_SIDE: Final = 7
MAX_OWN_PATCHES: Final = 32 * 32  # a Swin's first stage has three times as many
PIXELS_PER_BATCH: Final = 2**21


@dataclass(frozen=True, eq=False)
class GenericEncoder:
    """A dual encoder whose image and caption are masked before its towers see them.

    Args:
        model: an open_clip dual encoder in evaluation mode.
        pictures: its image transform.
        tokenizer: its tokenizer.
        card: its identity and limits; the grid divides the picture evenly.
    """

    model: Any
    pictures: Pictures
    tokenizer: CaptionTokenizer
    card: ModelCard

    @classmethod
    def of(cls, model: Any, preprocess: Any, card: ModelCard, *, grid: tuple[int, int] | None = None) -> GenericEncoder:
        """The encoder of an open_clip model.

        Args:
            model: an open_clip dual encoder in evaluation mode.
            preprocess: its evaluation transform.
            card: its identity and limits; its grid is (0, 0) where the model has no patches of its own.
            grid: (rows, columns) of the patches; by default the model's own where they divide the picture evenly and
                are not too many, or else 7 x 7 or the nearest that does.

        Raises:
            InvalidParameterError: the grid does not divide the picture evenly.
            TokenizerNotFoundError: the card's tokenizer is not on this machine.
        """
        height, width = card.image_size_px
        if grid is None:
            own = _divides(card.grid, card.image_size_px) and card.grid[0] * card.grid[1] <= MAX_OWN_PATCHES
            grid = card.grid if own else nearest_grid(card.image_size_px)
        if not _divides(grid, card.image_size_px):
            raise InvalidParameterError(
                f"a grid of {grid[0]} x {grid[1]} does not divide a picture of {height} x {width} pixels evenly",
                field="grid",
            )
        card = replace(card, grid=grid, attention=False)
        return cls(model, Pictures(preprocess), load_tokenizer(card.tokenizer), card)

    @cached_property
    def _first_weight(self) -> torch.Tensor:
        """What pixels meet first: it says where they must be, and in which precision."""
        modules = self.model.visual.modules()
        weight: torch.Tensor = next(module.weight for module in modules if isinstance(module, torch.nn.Conv2d))
        return weight

    @property
    def text_removals(self) -> tuple[TextRemoval, ...]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_removals`."""
        return ("token",)

    @property
    def shares_prefixes(self) -> bool:
        """Whether the text tower computes equal beginnings of coalitions once."""
        return False

    @cached_property
    def text_cost(self) -> float:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_cost`."""
        view = np.zeros((*self.card.image_size_px, 3), dtype=np.uint8)
        patches = np.ones((1, self.card.grid[0] * self.card.grid[1]), dtype=bool)
        token = np.ones((1, 1), dtype=bool)
        image = operations_of(lambda: self.encode_images(view, patches))
        text = operations_of(lambda: self._encode_ids((self.tokenizer.pad_id,), token))
        return text / image / self.text_positions(1)

    @property
    def rows_per_call(self) -> tuple[int, int]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.rows_per_call`."""
        return IMAGE_ROWS_PER_CALL, TEXT_ROWS_PER_CALL

    def text_positions(self, n_tokens: int) -> int:
        """The whole context, however short the caption: open_clip's towers read no less."""
        return self.card.context_length

    def view(self, image: ImageInput) -> ImageArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.view`.

        Raises:
            InvalidImageError: ``image`` is no picture.
        """
        return self.pictures.view(image)

    def source_of_view(self, size: tuple[int, int]) -> IntArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.source_of_view`."""
        return self.pictures.source_of_view(size)

    def players(self, caption: str) -> Players:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.players`.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
        """
        tokens = tokenize_caption(caption, tokenizer=self.card.tokenizer, max_tokens=self.card.max_tokens)
        return Players(self.card.grid, tokens.texts)

    @torch.inference_mode()
    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """(m, D) float32 unit embeddings of ``image`` under (m, patches) coalitions.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``coalitions`` is not of shape (m, patches), or ``removal`` unknown.
        """
        height, width = self.card.image_size_px
        rows, columns = self.card.grid
        view = self.view(image)
        present = checked_coalitions(coalitions, rows * columns)
        weight = self._first_weight
        shown, hidden = (
            pixels.to(weight.device, weight.dtype)
            for pixels in (self.pictures.pixels(view), self.pictures.baseline(view, removal))
        )

        def encode(some: torch.Tensor) -> torch.Tensor:
            cells = some.reshape(-1, 1, rows, columns)
            mask = cells.repeat_interleave(height // rows, 2).repeat_interleave(width // columns, 3)
            embedded: torch.Tensor = self.model.encode_image(torch.where(mask, shown, hidden), normalize=False)
            return embedded

        return self._embeddings(encode, present, rows=PIXELS_PER_BATCH // (height * width))

    @torch.inference_mode()
    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "token") -> Embeddings:
        """(m, D) float32 unit embeddings of ``caption`` under (m, tokens) coalitions.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
            InvalidParameterError: ``coalitions`` is not of shape (m, tokens), or ``removal`` another than ``token``.
        """
        if removal not in self.text_removals:
            raise InvalidParameterError(
                f"removal must be token, not {removal!r}: this model's text tower cannot be masked inside",
                field="text_removal",
            )
        tokens = tokenize_caption(caption, tokenizer=self.card.tokenizer, max_tokens=self.card.max_tokens)
        return self._encode_ids(tokens.ids, checked_coalitions(coalitions, len(tokens.ids)))

    @torch.inference_mode()
    def _encode_ids(self, ids: tuple[int, ...], present: Coalitions) -> Embeddings:
        """(m, D) the caption of these content tokens under (m, n) coalitions."""
        line = self.tokenizer.line(ids, length=self.card.context_length)
        whole = torch.tensor(line.ids, device=self.card.device)
        removed_at = list(line.content)

        def encode(some: torch.Tensor) -> torch.Tensor:
            lines = whole.repeat(len(some), 1)
            lines[:, removed_at] = torch.where(some, lines[:, removed_at], self.tokenizer.pad_id)
            embedded: torch.Tensor = self.model.encode_text(lines, normalize=False)
            return embedded

        return self._embeddings(encode, present, rows=POSITIONS_PER_BATCH // self.card.context_length)

    def _embeddings(
        self, encode: Callable[[torch.Tensor], torch.Tensor], present: Coalitions, *, rows: int
    ) -> Embeddings:
        """(m, D) what ``encode`` gives for batches of so many rows of ``present``, to unit length."""
        batches = torch.from_numpy(present).to(self.card.device).split(max(1, rows))
        weight = self._first_weight
        # With low precision some of open_clip's towers (CoCa's pooling) mix it with float32 and need the cast.
        with torch.autocast(weight.device.type, weight.dtype, enabled=weight.dtype != torch.float32):
            parts = [F.normalize(encode(batch).float(), dim=-1) for batch in batches if len(batch)]
        if not parts:
            return np.empty((0, self.card.embed_dim), np.float32)
        # One copy at the end: the device need not wait for the host between batches.
        embeddings: Embeddings = torch.cat(parts).cpu().numpy()
        return embeddings


def nearest_grid(size: tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) nearest to 7 x 7 that divide a picture of ``size`` (height, width) evenly; of two, the finer."""
    rows, columns = (
        min((n for n in range(1, side + 1) if side % n == 0), key=lambda n: (abs(n - GRID_SIDE), -n)) for side in size
    )
    return rows, columns


def _divides(grid: tuple[int, int], size: tuple[int, int]) -> bool:
    return min(grid) >= 1 and all(side % n == 0 for n, side in zip(grid, size, strict=True))
