"""Which part of a picture a model sees: some crop it, some squeeze it, some put a margin around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.types import IntArray

__all__ = ["Frame", "frame_of_view"]

_PROBE_PX: Final = 256
"""Shorter side of the picture that stands in for the real one: what a model crops does not depend on the size."""
_KNOWN: Final = 0.004
"""How well edges are known, as a share of the picture's size."""
_PREFIX: Final = "view_"


@dataclass(frozen=True, slots=True)
class Frame:
    """Edges in pixels of the submitted picture, from its top left corner; beyond it where there is a margin."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels of the picture."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels of the picture."""
        return self.bottom - self.top

    def to_provenance(self) -> dict[str, float]:
        """The edges as an explanation's provenance has them: ``view_left``, ``view_top``, ..."""
        edges = {"left": self.left, "top": self.top, "right": self.right, "bottom": self.bottom}
        return {f"{_PREFIX}{name}": edge for name, edge in edges.items()}

    @classmethod
    def from_provenance(cls, provenance: Mapping[str, object]) -> Self | None:
        """The frame in an explanation's provenance; None where there is none, or one without area."""
        edges = [provenance.get(f"{_PREFIX}{name}") for name in ("left", "top", "right", "bottom")]
        numbers = [float(edge) for edge in edges if isinstance(edge, int | float)]
        if len(numbers) != len(edges) or not np.isfinite(numbers).all():
            return None
        frame = cls(*numbers)
        return frame if frame.width > 0 and frame.height > 0 else None


def frame_of_view(encoder: DualEncoder, size: tuple[int, int]) -> Frame:
    """The part of a picture of ``size`` (width, height) that the encoder sees, to a few thousandths of its size."""
    scale = min(1.0, _PROBE_PX / min(size))
    probe = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    source = encoder.source_of_view(probe)
    # Of each line of the view the row it shows, and of each column the column: the farthest, as margins have -1.
    top, bottom = _edges(source[..., 0].max(axis=1), length=probe[1])
    left, right = _edges(source[..., 1].max(axis=0), length=probe[0])
    wide, tall = size[0] / probe[0], size[1] / probe[1]
    return Frame(*(round(edge, 2) for edge in (left * wide, top * tall, right * wide, bottom * tall)))


def _edges(places: IntArray, *, length: int) -> tuple[float, float]:
    """Where, on an axis of ``length`` pixels, a view begins and ends whose pixel k shows ``places[k]``, or a margin."""
    shown = np.flatnonzero(places >= 0)
    # Resizing bends a ramp at its ends.
    inner = shown[len(shown) // 10 : len(shown) - len(shown) // 10]
    if len(inner) < 2 or places[inner[0]] == places[inner[-1]]:
        return 0.0, float(length)
    slope, start = np.polyfit(inner + 0.5, places[inner] + 0.5, 1)
    return _snapped(float(start), length), _snapped(float(start + slope * len(places)), length)


def _snapped(edge: float, length: int) -> float:
    """An edge that is, as far as it is known, the picture's own, is just that."""
    return next((own for own in (0.0, float(length)) if abs(edge - own) < _KNOWN * length), edge)
