from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scaling import DOCUMENT, Figures, figures_at_once, write
from benchmarks.service_times import load

NAMES = ("steps", "kinds", "capacity", "limits", "fleets", "day")


def _figures() -> Figures:
    figures = Figures.of("what there is", "part", "share")
    figures.add("redis", "7%")
    return figures


def test_a_table_replaces_what_is_between_its_marks_and_nothing_else(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "before\n<!-- one -->\nold\nolder\n<!-- end of one -->\nbetween\n<!-- two -->\n<!-- end of two -->\n"
    )
    write(document, {"one": _figures(), "two": _figures()})
    table = "What there is:\n\n| part | share |\n|---|---:|\n| redis | 7% |\n"
    assert document.read_text() == (
        f"before\n<!-- one -->\n{table}<!-- end of one -->\nbetween\n<!-- two -->\n{table}<!-- end of two -->\n"
    )


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("<!-- one -->\n<!-- end of one -->\n")
    write(document, {"one": _figures()})
    once = document.read_text()
    write(document, {"one": _figures()})
    assert document.read_text() == once


def test_a_mark_without_a_table_is_an_error(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("<!-- none -->\n<!-- end of none -->\n")
    with pytest.raises(KeyError, match="none"):
        write(document, {"one": _figures()})


@pytest.mark.parametrize("name", NAMES)
def test_the_document_has_every_table(name: str) -> None:
    assert f"<!-- {name} -->" in DOCUMENT.read_text()


def test_the_document_has_the_stored_figures() -> None:
    document = DOCUMENT.read_text()
    for name, figures in figures_at_once(load()).items():
        assert figures.marked(name) in document, f"python -m benchmarks.scaling --write: {name} is of other figures"
