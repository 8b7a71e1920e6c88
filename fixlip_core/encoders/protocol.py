"""The encoder seam: masked pairs in, unit embeddings out. Everything above it is linear algebra."""

from __future__ import annotations

from typing import Protocol

from fixlip_core.encoders.card import ModelCard
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, Embeddings, ImageArray, ImageInput

__all__ = ["DualEncoder"]


class DualEncoder(Protocol):
    """A vision-language encoder whose inputs can be masked player by player."""

    @property
    def card(self) -> ModelCard:
        """The model's identity and limits."""
        ...

    @property
    def text_cost(self) -> float:
        """Cost of a text position relative to an image pass: times the positions, that of a text pass."""
        ...

    @property
    def shares_prefixes(self) -> bool:
        """Whether the text tower computes equal beginnings of coalitions once."""
        ...

    def view(self, image: ImageInput) -> ImageArray:
        """(H, W, 3) uint8: the part of ``image`` that the model sees, at its resolution.

        The view of a view is itself.
        """
        ...

    def players(self, caption: str) -> Players:
        """The players of a pair with this caption.

        Raises:
            InvalidCaptionError: the caption cannot be used with this model.
        """
        ...

    def encode_images(self, image: ImageInput, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32 unit embeddings of ``image`` with the patches of each row of (m, patches) present."""
        ...

    def encode_texts(self, caption: str, coalitions: Coalitions) -> Embeddings:
        """(m, D) float32 unit embeddings of ``caption`` with the tokens of each row of (m, tokens) present."""
        ...
