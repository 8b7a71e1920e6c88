from __future__ import annotations

import subprocess
import sys

import pytest

import fixlip_core.rendering


def test_exports_what_it_says() -> None:
    assert fixlip_core.rendering.__all__ == [
        "PaperFigure",
        "RenderedMap",
        "conditional_figure",
        "draw_figure",
        "first_order_figure",
        "interaction_graph_figure",
        "render_comparison",
        "render_maps",
    ]
    assert all(callable(getattr(fixlip_core.rendering, name)) for name in fixlip_core.rendering.__all__)
    assert set(fixlip_core.rendering.__all__) <= set(dir(fixlip_core.rendering))


def test_refuses_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pie_chart'"):
        _ = fixlip_core.rendering.pie_chart


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def test_import_is_light() -> None:
    loaded = run("import sys, fixlip_core.rendering; print({'torch', 'matplotlib'} & set(sys.modules))")
    assert loaded.strip() == "set()"


def test_drawing_needs_neither_torch_nor_the_global_interface() -> None:
    loaded = run(
        "import sys; from fixlip_core.rendering import render_maps;"
        "print({'torch', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    assert loaded.strip() == "set()"
