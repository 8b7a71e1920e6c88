"""Figures of an explanation at print quality: heat maps, conditioned maps, the interaction graph, curves, scores.

The drawing library is imported on first use, so that knowing the names of the maps costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixlip_core.rendering.comparison import render_comparison
    from fixlip_core.rendering.figures import PaperFigure, draw_figure
    from fixlip_core.rendering.graph import interaction_graph_figure
    from fixlip_core.rendering.heatmaps import conditional_figure, first_order_figure
    from fixlip_core.rendering.maps import render_maps
    from fixlip_core.rendering.rendered import RenderedMap

__all__ = [
    "PaperFigure",
    "RenderedMap",
    "conditional_figure",
    "draw_figure",
    "first_order_figure",
    "interaction_graph_figure",
    "render_comparison",
    "render_maps",
]

_MODULES = {
    "PaperFigure": "figures",
    "RenderedMap": "rendered",
    "conditional_figure": "heatmaps",
    "draw_figure": "figures",
    "first_order_figure": "heatmaps",
    "interaction_graph_figure": "graph",
    "render_comparison": "comparison",
    "render_maps": "maps",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
