"""A job's face to a model that it shares: an encoder whose rows are run by the batcher."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from fixlip_core.batching.called import masked_image, masked_text
from fixlip_core.batching.statistics import Modality
from fixlip_core.batching.turns import Turn
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.masked import MaskedInput, MaskedRows
from fixlip_core.encoders.protocol import DualEncoder, ImageRemoval, TextRemoval
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, ImageArray, ImageInput, IntArray

__all__ = ["SharedEncoder"]


class SharedEncoder:
    """A :class:`fixlip_core.encoders.protocol.DualEncoder` that is another one, but for who runs its rows.

    Args:
        encoder: the model.
        run: has rows run by one of its towers, and waits for them.
        turn: gives the job the device for itself; see :meth:`fixlip_core.batching.Batcher.turn`.
        beside: gives the job a face to another model, which is dropped when the block is left.

    Attributes:
        shared: the model.
        turn: as above.
        beside: as above.
    """

    def __init__(
        self,
        encoder: DualEncoder,
        run: Callable[[Modality, MaskedRows], Embeddings],
        *,
        turn: Callable[[], AbstractContextManager[Turn]],
        beside: Callable[[DualEncoder], AbstractContextManager[DualEncoder]],
    ) -> None:
        self.shared = encoder
        self.turn = turn
        self.beside = beside
        self._run = run
        # A job asks for one image and one caption, many times over.
        self._image: tuple[ImageArray, ImageRemoval, MaskedInput] | None = None
        self._text: tuple[str, TextRemoval, MaskedInput] | None = None

    @property
    def card(self) -> ModelCard:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.card`."""
        return self.shared.card

    @property
    def text_removals(self) -> tuple[TextRemoval, ...]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_removals`."""
        return self.shared.text_removals

    @property
    def text_cost(self) -> float:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.text_cost`."""
        return self.shared.text_cost

    @property
    def weights_bytes(self) -> int:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.weights_bytes`."""
        return self.shared.weights_bytes

    @property
    def shares_prefixes(self) -> bool:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.shares_prefixes`."""
        return self.shared.shares_prefixes

    @property
    def rows_per_call(self) -> tuple[int, int]:
        """See :attr:`fixlip_core.encoders.protocol.DualEncoder.rows_per_call`."""
        return self.shared.rows_per_call

    @property
    def image_tower(self) -> Any:
        """The model's image tower, for methods that look into it; None where it has none of a known kind."""
        return getattr(self.shared, "image_tower", None)

    @property
    def text_tower(self) -> Any:
        """The model's text tower, likewise."""
        return getattr(self.shared, "text_tower", None)

    def text_positions(self, n_tokens: int) -> int:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.text_positions`."""
        return self.shared.text_positions(n_tokens)

    def view(self, image: ImageInput) -> ImageArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.view`."""
        return self.shared.view(image)

    def source_of_view(self, size: tuple[int, int]) -> IntArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.source_of_view`."""
        return self.shared.source_of_view(size)

    def hidden_view(self, image: ImageInput, *, removal: ImageRemoval = "zero") -> ImageArray:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.hidden_view`."""
        return self.shared.hidden_view(image, removal=removal)

    def players(self, caption: str) -> Players:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.players`."""
        return self.shared.players(caption)

    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.encode_images`; waits for the device.

        Raises:
            DeviceMemoryError: a single row does not fit on the device.
            DeviceLostError: the device failed for good.
            BatcherStoppedError: the batcher was stopped.
        """
        return self._run("image", self._masked_image(image, removal).rows(coalitions))

    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "mask") -> Embeddings:
        """See :meth:`fixlip_core.encoders.protocol.DualEncoder.encode_texts`; waits for the device.

        Raises:
            DeviceMemoryError: a single row does not fit on the device.
            DeviceLostError: the device failed for good.
            BatcherStoppedError: the batcher was stopped.
        """
        if self._text is None or self._text[:2] != (caption, removal):
            self._text = caption, removal, masked_text(self.shared, caption, removal)
        return self._run("text", self._text[2].rows(coalitions))

    def _masked_image(self, image: ImageInput, removal: ImageRemoval) -> MaskedInput:
        known = self._image
        if known and known[1] == removal and isinstance(image, np.ndarray) and np.array_equal(known[0], image):
            return known[2]
        masked = masked_image(self.shared, image, removal)
        if isinstance(image, np.ndarray):
            self._image = image.copy(), removal, masked
        return masked
