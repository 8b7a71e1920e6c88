"""An encoder that passes no masked pair through its towers twice, while it is asked about one pair."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Any, Final, cast

import numpy as np

from fixlip_core.encoders.protocol import DualEncoder, ImageRemoval, TextRemoval
from fixlip_core.images import to_rgb
from fixlip_core.types import Coalitions, Embeddings, ImageInput

__all__ = ["remembering"]

STEADY_ROWS: Final = 16
"""As :data:`fixlip_core.encoders.steady.STEADY_ROWS`: so many rows have the same bits in any batch."""


def remembering(encoder: DualEncoder) -> DualEncoder:
    """``encoder``, which from now on passes nothing through its towers that it has passed already.

    Methods are judged on the same coalitions of the same pair: the first pays for them. What is measured stays what it
    was, to the last bit on a CPU with one thread or two. It forgets nothing: it is meant for one pair.

    Args:
        encoder: the model.
    """
    return cast("DualEncoder", _RememberingEncoder(encoder))


class _RememberingEncoder:
    """In all but what it remembers, the other encoder."""

    def __init__(self, encoder: DualEncoder) -> None:
        self._encoder = encoder
        self._known: dict[Hashable, dict[bytes, Embeddings]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode_images(self, image: ImageInput, coalitions: Coalitions, *, removal: ImageRemoval = "zero") -> Embeddings:
        """What is known, and what the other encoder gives for the rest."""
        pixels = np.asarray(to_rgb(image))
        key = (removal, pixels.shape, hashlib.blake2b(pixels.tobytes(), digest_size=16).digest())
        return self._recall(key, coalitions, lambda rows: self._encoder.encode_images(image, rows, removal=removal))

    def encode_texts(self, caption: str, coalitions: Coalitions, *, removal: TextRemoval = "mask") -> Embeddings:
        """What is known, and what the other encoder gives for the rest."""
        key = (removal, caption)
        return self._recall(key, coalitions, lambda rows: self._encoder.encode_texts(caption, rows, removal=removal))

    def _recall(self, key: Hashable, coalitions: Coalitions, encode: Callable[[Coalitions], Embeddings]) -> Embeddings:
        # Fewer rows have other last bits: figures would depend on what was asked before.
        if len(coalitions) < STEADY_ROWS:
            return encode(coalitions)
        known = self._known.setdefault(key, {})
        names = [row.tobytes() for row in np.packbits(coalitions, axis=1)]
        fresh = {name: place for place, name in enumerate(names) if name not in known}
        if fresh:
            places = list(fresh.values())
            rows = encode(np.ascontiguousarray(coalitions[places + places[-1:] * (STEADY_ROWS - len(places))]))
            known.update(zip(fresh, rows, strict=False))
        return np.stack([known[name] for name in names])
