"""The front end's sources: they say the same as the library, are typed, and make no markup of text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.node import NPM, run_node
from tests.web.truth import truth

MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function\(|document\.write|DOMParser")


def test_it_says_what_the_library_says(web: Path, tmp_path: Path) -> None:
    said = tmp_path / "truth.json"
    said.write_text(json.dumps(truth(), allow_nan=False), encoding="utf-8")
    printed = run_node(web, NPM, "test", FIXLIP_TRUTH=str(said))
    assert "fail 0" in printed
    # Not none, because none were found.
    assert int(re.findall(r"pass (\d+)", printed)[0]) > 50


@pytest.mark.parametrize("script", ["types", "lint"])
def test_it_is_typed_and_tidy(script: str, web: Path) -> None:
    run_node(web, NPM, "run", script)


def test_text_never_becomes_markup(web: Path) -> None:
    sources = [path for path in (web / "src").rglob("*") if path.suffix in {".ts", ".tsx"}]
    assert len(sources) > 20
    assert [path.name for path in sources if MARKUP.search(path.read_text(encoding="utf-8"))] == []


def test_packages_are_pinned(web: Path) -> None:
    package = json.loads((web / "package.json").read_text(encoding="utf-8"))
    named = {**package["dependencies"], **package["devDependencies"]}
    text = (web / "package-lock.json").read_text(encoding="utf-8")
    locked = json.loads(text)["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in named} == named
    assert all("integrity" in entry for path, entry in locked.items() if path)
    assert "resolved" not in text
