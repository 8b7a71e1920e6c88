"""How wide a figure is printed. Type, lines and margins keep their printed size; what is left is the picture's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from fixlip_core.errors import InvalidParameterError
from fixlip_core.rendering import style

__all__ = ["COLUMN", "NARROWEST_MM", "WIDEST_MM", "FigureSize", "Width"]

Width: TypeAlias = Literal["column", "page"] | float
"""``column`` (3.4 inches) and ``page`` (7 inches) of the usual two-column paper, or millimetres."""

MM_PER_INCH: Final = 25.4
NARROWEST_MM: Final = 60.0
WIDEST_MM: Final = 250.0
_NAMED_PX: Final = {"column": style.WIDTH_PX, "page": style.PAGE_PX}


@dataclass(frozen=True, slots=True)
class FigureSize:
    """The width of a figure in pixels of the sheet."""

    width_px: int = style.WIDTH_PX

    @classmethod
    def of(cls, width: Width) -> FigureSize:
        """The size of a printed width.

        Args:
            width: ``column``, ``page``, or 60 to 250 millimetres.

        Raises:
            InvalidParameterError: it is neither.
        """
        if isinstance(width, str):
            if width in _NAMED_PX:
                return cls(_NAMED_PX[width])
        elif math.isfinite(width) and NARROWEST_MM <= width <= WIDEST_MM:
            return cls(round(width / MM_PER_INCH * style.DPI))
        raise InvalidParameterError(
            f"width must be column, page, or {NARROWEST_MM:g} to {WIDEST_MM:g} millimetres, not {width!r}",
            field="width",
        )

    @property
    def content_px(self) -> int:
        """What lies between the margins."""
        return self.width_px - 2 * style.MARGIN_PX

    @property
    def image_px(self) -> int:
        """Greatest width of a picture that has its key beside it."""
        return self.content_px - style.GAP_PX - style.COLUMN_PX


COLUMN: Final = FigureSize()
