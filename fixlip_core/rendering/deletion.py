"""Insertion and deletion curves: how the score falls as players are taken away, the important or the others first."""

from __future__ import annotations

from typing import Final

from fixlip_core.evaluation.insertion_deletion import InsertionDeletion
from fixlip_core.rendering.plots import CurvePanel, CurveSheet, minus
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.size import COLUMN, FigureSize

__all__ = ["deletion_sheet"]

PLOT_PX: Final = 400
"""Height of a panel's plot."""
NARROWEST_PX: Final = 400
"""Of a panel beside another: its title must find room."""


def deletion_sheet(found: InsertionDeletion, *, size: FigureSize = COLUMN) -> Sheet:
    """The curves of first and, where there are any, of second order side by side, on one scale.

    The area between the two curves of each is tinted.

    Args:
        found: the curves; v(full) is not v(empty), for then they have no values.
        size: of the figure; of a narrow one, the panels stand one above the other.
    """
    orders = {"first order": found.first_order, "second order": found.second_order}
    panels = [
        CurvePanel(f"{name}: area {minus(f'{curves.area:.3g}')}", curves.most_first, curves.least_first)
        for name, curves in orders.items()
        if curves is not None
    ]
    columns = len(panels) if size.content_px / len(panels) >= NARROWEST_PX else 1
    label = "share of the score" + (" (flipped)" if found.flipped else "")
    return CurveSheet(size, columns, PLOT_PX, label).draw(panels)
