"""PNG files of drawn maps, in a quarter of the time that Pillow takes for them, and no larger than they need be.

Pillow tries five filters on every line. For flat drawings the difference from the line above is nearly always as good:
patches, words and the paper are the same from one line to the next.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np

from fixlip_core.rendering import style
from fixlip_core.types import ImageArray

__all__ = ["png_bytes"]

COMPRESSION: Final = 3
UP_FILTER: Final = 2
PIXELS_PER_METRE: Final = round(style.DPI / 0.0254)


def png_bytes(pixels: ImageArray) -> bytes:
    """(H, W, 3) uint8 ``pixels`` as a PNG file of 300 dots per inch; the same pixels give the same bytes."""
    height, width, _ = pixels.shape
    lines = pixels.reshape(height, -1)
    filtered = np.empty((height, 1 + lines.shape[1]), dtype=np.uint8)
    filtered[:, 0] = UP_FILTER
    filtered[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
    eight_bit_rgb = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", eight_bit_rgb),
            _chunk(b"pHYs", struct.pack(">IIB", PIXELS_PER_METRE, PIXELS_PER_METRE, 1)),
            _chunk(b"IDAT", zlib.compress(filtered.data, COMPRESSION)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
