from __future__ import annotations

from pathlib import Path

from benchmarks.gallery import ENTRIES, Material, document

DOCS = Path(__file__).parents[2] / "docs"
MOST_BYTES = 1_500_000


def test_the_page_is_the_one_that_is_written() -> None:
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == document()


def test_the_page_shows_exactly_the_figures_that_there_are() -> None:
    files = {path.name for path in (DOCS / "gallery").iterdir()}
    assert files == {f"{entry.name}.svg" for entry in ENTRIES}
    assert all(f"](gallery/{name})" in document() for name in files)


def test_the_figures_are_small_and_complete_in_themselves() -> None:
    figures = [path.read_bytes() for path in (DOCS / "gallery").iterdir()]
    assert sum(map(len, figures)) < MOST_BYTES
    assert all(figure.startswith(b"<svg") and b"<text" in figure and b'href="http' not in figure for figure in figures)


def test_a_figure_that_is_made_again_is_the_same_to_the_byte() -> None:
    (entry,) = (entry for entry in ENTRIES if entry.name == "regions")
    assert entry.draw(Material(budget=16)) == entry.draw(Material(budget=16))
