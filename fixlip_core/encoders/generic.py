"""Any dual encoder of open_clip behind the encoder seam, its towers as they are: ResNet, ConvNeXt, CoCa, MobileCLIP ...

What is not known of a tower cannot be masked inside it, so its input is: a removed cell of a grid is replaced in the
normalised pixels, a removed token by the padding token. Every coalition is a pass of its own through the whole tower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import torch

from fixlip_core.captions import tokenize_caption
from fixlip_core.defaults import IMAGE_ROWS_PER_CALL, POSITIONS_PER_BATCH, TEXT_ROWS_PER_CALL
from fixlip_core.encoders.batches import operations_of
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.pictures import Pictures
from fixlip_core.encoders.protocol import ImageRemoval, TextRemoval
from fixlip_core.encoders.replaced import ReplacedInput, WholeTower
from fixlip_core.encoders.tokenizer import CaptionTokenizer, load_tokenizer
from fixlip_core.encoders.weights import weights_bytes_of
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

    @cached_property
    def weights_bytes(self) -> int:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.weights_bytes`."""
        return weights_bytes_of(self.model)

    @property
    def text_removals(self) -> tuple[TextRemoval, ...]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_removals`."""
        return ("token",)

    @property
    def shares_prefixes(self) -> bool:
        """Whether the text tower computes equal beginnings of coalitions once."""
        return False

    @cached_property
    @torch.inference_mode()
    def text_cost(self) -> float:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_cost`."""
        pixels = self.pictures.pixels(np.zeros((*self.card.image_size_px, 3), dtype=np.uint8))
        ids = self._masked_ids((self.tokenizer.pad_id,)).shown
        image = operations_of(lambda: self._images.embed(pixels.to(self._first_weight.dtype)))
        text = operations_of(lambda: self._texts.embed(ids))
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

    def hidden_view(self, image: ImageInput, *, removal: ImageRemoval = "zero") -> ImageArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.hidden_view`.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``removal`` is unknown.
        """
        return self.pictures.hidden(self.view(image), removal)

    def players(self, caption: str) -> Players:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.players`.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
        """
        tokens = tokenize_caption(caption, tokenizer=self.card.tokenizer, max_tokens=self.card.max_tokens)
        return Players(self.card.grid, tokens.texts)

    @cached_property
    def _images(self) -> WholeTower:
        height, width = self.card.image_size_px
        rows = max(1, PIXELS_PER_BATCH // (height * width))
        return self._tower(self.model.encode_image, rows)

    @cached_property
    def _texts(self) -> WholeTower:
        rows = max(1, POSITIONS_PER_BATCH // self.card.context_length)
        return self._tower(self.model.encode_text, rows)

    def _tower(self, encode: Callable[..., torch.Tensor], rows: int) -> WholeTower:
        return WholeTower(partial(encode, normalize=False), self._first_weight, rows, self.card.embed_dim)

    def masked_image(self, image: ImageInput, removal: ImageRemoval) -> ReplacedInput:
        """See :meth:`fixlip_core.encoders.masked.BatchableEncoder.masked_image`.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``removal`` is unknown.
        """
        height, width = self.card.image_size_px
        rows, columns = self.card.grid

        def spread(present: torch.Tensor) -> torch.Tensor:
            cells = present.reshape(-1, 1, rows, columns)
            return cells.repeat_interleave(height // rows, 2).repeat_interleave(width // columns, 3)

        view, dtype = self.view(image), self._first_weight.dtype
        shown, hidden = self.pictures.pixels(view).to(dtype), self.pictures.baseline(view, removal).to(dtype)
        return ReplacedInput(self._images, shown, hidden, spread, rows * columns)

    def masked_text(self, caption: str, removal: TextRemoval) -> ReplacedInput:
        """See :meth:`fixlip_core.encoders.masked.BatchableEncoder.masked_text`.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
            InvalidParameterError: ``removal`` is another than ``token``.
        """
        if removal not in self.text_removals:
            raise InvalidParameterError(
                f"removal must be token, not {removal!r}: this model's text tower cannot be masked inside",
                field="text_removal",
            )
        tokens = tokenize_caption(caption, tokenizer=self.card.tokenizer, max_tokens=self.card.max_tokens)
        return self._masked_ids(tokens.ids)

    def _masked_ids(self, ids: tuple[int, ...]) -> ReplacedInput:
        """The caption of these content tokens."""
        line = self.tokenizer.line(ids, length=self.card.context_length)
        shown = torch.tensor([line.ids])
        hidden = torch.full_like(shown, self.tokenizer.pad_id)

        def spread(present: torch.Tensor) -> torch.Tensor:
            kept = torch.ones(len(present), len(line.ids), dtype=torch.bool, device=present.device)
            kept[:, list(line.content)] = present
            return kept

        return ReplacedInput(self._texts, shown, hidden, spread, len(ids))

    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """(m, D) float32 unit embeddings of ``image`` under (m, patches) coalitions.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``coalitions`` is not of shape (m, patches), or ``removal`` unknown.
        """
        return self.masked_image(image, removal).rows(coalitions).encode()

    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "token") -> Embeddings:
        """(m, D) float32 unit embeddings of ``caption`` under (m, tokens) coalitions.

        Raises:
            InvalidCaptionError: the caption is empty, without words or too long.
            InvalidParameterError: ``coalitions`` is not of shape (m, tokens), or ``removal`` another than ``token``.
        """
        return self.masked_text(caption, removal).rows(coalitions).encode()


def nearest_grid(size: tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) nearest to 7 x 7 that divide a picture of ``size`` (height, width) evenly; of two, the finer."""
    rows, columns = (
        min((n for n in range(1, side + 1) if side % n == 0), key=lambda n: (abs(n - GRID_SIDE), -n)) for side in size
    )
    return rows, columns


def _divides(grid: tuple[int, int], size: tuple[int, int]) -> bool:
    return min(grid) >= 1 and all(side % n == 0 for n, side in zip(grid, size, strict=True))
