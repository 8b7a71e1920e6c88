"""An explanation that is compared, as a job has stored it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from fixlip_core.explanation import Explanation
from fixlip_core.formats import from_npz_bytes
from fixlip_core.images import decode_image
from fixlip_core.types import ImageArray

__all__ = ["Subject"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The files of one explanation.

    Attributes:
        npz: the explanation, as :func:`fixlip_core.formats.to_npz_bytes` wrote it.
        view_png: what the model saw of the picture, as an image file.
    """

    npz: bytes
    view_png: bytes

    @property
    def explanation(self) -> Explanation:
        """The explanation.

        Raises:
            FormatError: the file is damaged.
        """
        return from_npz_bytes(self.npz)

    @property
    def view(self) -> ImageArray:
        """(H, W, 3) uint8: what the model saw.

        Raises:
            InvalidImageError: the file is damaged.
        """
        return np.asarray(decode_image(self.view_png, max_bytes=sys.maxsize))
