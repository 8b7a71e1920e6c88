from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.frames import Frame, frame_of_view
from fixlip_core.types import IntArray

VIEW_PX = 224


@dataclass(frozen=True)
class Looking:
    """An encoder that sees squares, and nothing else: the whole squeezed, the middle cut out, or all with a margin."""

    way: str

    def source_of_view(self, size: tuple[int, int]) -> IntArray:
        width, height = size
        rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
        return np.stack([self._seen(rows), self._seen(columns)], axis=-1)

    def _seen(self, ramp: IntArray) -> IntArray:
        height, width = ramp.shape
        side = min(ramp.shape) if self.way == "crop" else max(ramp.shape)
        picture = Image.fromarray((ramp + 1).astype(np.float32))
        if self.way in ("crop", "margin"):
            left, top = (width - side) // 2, (height - side) // 2
            picture = picture.crop((left, top, left + side, top + side))
        shown = np.asarray(picture.resize((VIEW_PX, VIEW_PX), Image.Resampling.BILINEAR))
        return np.where(shown < 0.25, -1, np.rint(shown) - 1).astype(np.intp)


@pytest.mark.parametrize(
    ("way", "size", "expected"),
    [
        ("squeeze", (640, 480), (0, 0, 640, 480)),
        ("squeeze", (3000, 1000), (0, 0, 3000, 1000)),
        ("crop", (640, 480), (80, 0, 560, 480)),
        ("crop", (480, 1920), (0, 720, 480, 1200)),
        ("crop", (100, 100), (0, 0, 100, 100)),
        ("margin", (640, 480), (0, -80, 640, 560)),
        ("margin", (300, 900), (-300, 0, 600, 900)),
    ],
)
def test_the_part_that_a_model_sees(way: str, size: tuple[int, int], expected: tuple[int, ...]) -> None:
    frame = frame_of_view(cast(DualEncoder, Looking(way)), size)
    found = (frame.left, frame.top, frame.right, frame.bottom)
    assert np.abs(np.subtract(found, expected)).max() < 0.004 * max(size)
    assert all(edge == own for edge, own in zip(found, expected, strict=True) if own in (0, *size))


def test_a_picture_of_one_line_is_seen_whole() -> None:
    frame = frame_of_view(cast(DualEncoder, Looking("squeeze")), (50, 1))
    assert (frame.top, frame.bottom) == (0, 1)


def test_a_frame_in_a_provenance() -> None:
    frame = Frame(-1.5, 0.0, 10.0, 20.25)
    noted: dict[str, Any] = {"seed": 3, **frame.to_provenance()}
    assert Frame.from_provenance(noted) == frame
    assert (frame.width, frame.height) == (11.5, 20.25)


@pytest.mark.parametrize("changes", [{"view_left": None}, {"view_left": "0"}, {"view_left": 99}, {"view_top": np.nan}])
def test_no_frame_in_a_provenance(changes: dict[str, Any]) -> None:
    assert Frame.from_provenance({**Frame(0.0, 0.0, 10.0, 20.0).to_provenance(), **changes}) is None
    assert Frame.from_provenance({}) is None
