"""What the packages ship is what the sources of now give, small, and without a way from text to markup of its own."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import pytest

from tests.support.node import run_node

ROOT = Path(__file__).parents[2]
SHIPPED = {"page": ROOT / "service" / "page" / "static", "report": ROOT / "fixlip_core" / "report" / "static"}
MOST_BYTES = 300_000
MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function\(|document\.write|DOMParser")


@pytest.fixture(scope="module")
def built(web: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page and the report, built anew."""
    folder = tmp_path_factory.mktemp("built")
    run_node(web, "build.mjs", "--out", folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """The bytes of every file in ``folder``, by its path there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_what_is_built(name: str, built: Path) -> None:
    made, shipped = files(built / name), files(SHIPPED[name])
    changed = sorted(path for path in made.keys() | shipped.keys() if made.get(path) != shipped.get(path))
    assert changed == [], "run `make web`"


@pytest.mark.parametrize("name", SHIPPED)
def test_it_names_no_place_of_this_machine(name: str, built: Path, web: Path) -> None:
    texts = [content for path, content in files(built / name).items() if Path(path).suffix in {".js", ".css", ".txt"}]
    assert len(texts) == 3
    assert all(str(place).encode() not in text for text in texts for place in (ROOT, web.resolve(), "node_modules"))


def test_all_together_weigh_little(built: Path) -> None:
    packed = {path: len(gzip.compress(content)) for path, content in files(built).items()}
    code = {path: size for path, size in packed.items() if Path(path).suffix in {".js", ".css", ".html", ".svg"}}
    assert {"page/page.js", "page/page.css", "page/index.html", "report/report.js", "report/report.css"} <= code.keys()
    assert sum(code.values()) < MOST_BYTES, code


def test_the_licences_of_others_are_shipped(built: Path) -> None:
    for name in SHIPPED:
        notices = (built / name / "THIRD-PARTY.txt").read_text(encoding="utf-8")
        assert re.match(r"@preact/signals|preact ", notices)
        assert "Permission is hereby granted, free of charge" in notices
        assert "THIRD-PARTY.txt" in (built / name / f"{name}.js").read_text(encoding="utf-8").splitlines()[0]


def test_text_becomes_markup_nowhere_but_in_the_library(built: Path, web: Path, tmp_path: Path) -> None:
    # The library can; nothing asks it to (tests/web/test_sources.py).
    (tmp_path / "alone.js").write_text('export * from "preact"; export * from "preact/hooks";', encoding="utf-8")
    esbuild = web / "node_modules" / ".bin" / "esbuild"
    shutil.copytree(web / "node_modules" / "preact", tmp_path / "node_modules" / "preact")
    run_node(tmp_path, esbuild.resolve(), "alone.js", "--bundle", "--minify", "--outfile=out.js")
    its_own = MARKUP.findall((tmp_path / "out.js").read_text(encoding="utf-8"))
    for name in SHIPPED:
        assert MARKUP.findall((built / name / f"{name}.js").read_text(encoding="utf-8")) == its_own
