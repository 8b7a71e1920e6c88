"""What the suite asks of the service, and the right answer to each."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from PIL import Image

import fixlip_core
from fixlip_core.formats import to_npz_bytes
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.jobs import png

__all__ = ["Order", "orders"]

CAPTIONS: Final = ("red circle", "blue square", "green star", "small dog")


@dataclass(frozen=True, slots=True)
class Order:
    """One explanation to ask for; of order 1, as its only map is soon drawn.

    Attributes:
        caption: see :mod:`tests.faults.worker` for words that do harm.
        seed: of the picture and of the explanation.
        model: which of the worker's.
        budget: image passes.
        order: highest order of interaction.
    """

    caption: str = CAPTIONS[0]
    seed: int = 0
    model: str = CARD.id
    budget: int = 64
    order: int = 1

    @property
    def params(self) -> dict[str, Any]:
        """The method's parameters."""
        return {"budget": self.budget, "order": self.order, "seed": self.seed}

    @property
    def image(self) -> bytes:
        """The picture, encoded."""
        return _picture(self.seed)

    @property
    def answer(self) -> bytes:
        """The tensor that the service must give, to the byte."""
        return _explain(self)


def orders() -> Iterator[Order]:
    """Harmless orders without end, no two alike: what was answered once is neither computed nor stored again."""
    return (Order(CAPTIONS[i % len(CAPTIONS)], seed=i) for i in count())


@functools.cache
def _picture(seed: int) -> bytes:
    return png(seed=seed)


@functools.cache
def _explain(order: Order) -> bytes:
    picture = Image.open(io.BytesIO(order.image))
    explanation = fixlip_core.explain(FakeEncoder(), picture, order.caption, method="fixlip", **order.params)
    return to_npz_bytes(explanation)
