"""The encoder seam: masked pairs in, unit embeddings out. Everything above it is linear algebra."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from fixlip_core.encoders.card import ModelCard
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, ImageArray, ImageInput, IntArray

__all__ = ["DualEncoder", "ImageRemoval", "TextRemoval"]

ImageRemoval: TypeAlias = Literal["zero", "mean", "blur"]
"""What stands in for a removed patch: zero after normalisation, the picture's mean colour, the blurred picture."""

TextRemoval: TypeAlias = Literal["mask", "token"]
"""What removes a token: its key masked in every layer, or the padding token in its place."""


class DualEncoder(Protocol):
    """A vision-language encoder whose inputs can be masked unit by unit: patches and content tokens."""

    @property
    def card(self) -> ModelCard:
        """The model's identity and limits."""
        ...

    @property
    def weights_bytes(self) -> int:
        """What the model's weights take of its device's memory."""
        ...

    @property
    def text_removals(self) -> tuple[TextRemoval, ...]:
        """The ways in which this encoder can remove a token, the default first."""
        ...

    @property
    def text_cost(self) -> float:
        """Cost of a text position relative to an image pass: times the positions, that of a text pass.

        By the operations of the towers' products, with what the benchmarks measured shared beginnings to take longer.
        It is the same on every machine, busy or not: the same request is split in the same way.
        """
        ...

    @property
    def shares_prefixes(self) -> bool:
        """Whether the text tower computes equal beginnings of coalitions once."""
        ...

    @property
    def rows_per_call(self) -> tuple[int, int]:
        """Image rows and text rows to give at a time: enough for the device, few enough to stop in between."""
        ...

    def text_positions(self, n_tokens: int) -> int:
        """Positions of one text pass of a caption with so many content tokens."""
        ...

    def view(self, image: ImageInput) -> ImageArray:
        """(H, W, 3) uint8: the part of ``image`` that the model sees, at its resolution.

        The view of a view is itself.
        """
        ...

    def source_of_view(self, size: tuple[int, int]) -> IntArray:
        """(H, W, 2): for each pixel of the view, row and column in an image of ``size`` (width, height), or -1."""
        ...

    def hidden_view(self, image: ImageInput, *, removal: ImageRemoval = "zero") -> ImageArray:
        """(H, W, 3) uint8: what the view becomes where its patches are removed, rounded to 8 bits."""
        ...

    def players(self, caption: str) -> Players:
        """The units of a pair with this caption, each a player.

        Raises:
            InvalidCaptionError: the caption cannot be used with this model.
        """
        ...

    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """(m, D) float32 unit embeddings of ``image`` with the patches of each row of (m, patches) present."""
        ...

    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "mask") -> Embeddings:
        """(m, D) float32 unit embeddings of ``caption`` with the tokens of each row of (m, tokens) present."""
        ...
