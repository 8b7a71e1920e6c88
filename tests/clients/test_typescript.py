"""The OpenAPI document gives a client in TypeScript that compiles, and a program that uses it runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.node import NPM, install_packages, run_node

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "tests" / "clients" / "typescript"
LOCK = SOURCES / "package-lock.json"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def packages() -> Path:
    """The packages that the lock file pins."""
    return install_packages(SOURCES)


@pytest.fixture(scope="session")
def project(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside a client that was generated from the document of now, both compiled."""
    folder = tmp_path_factory.mktemp("typescript")
    for source in SOURCES.iterdir():
        shutil.copy(source, folder)
    (folder / "node_modules").symlink_to(packages)
    shutil.copy(ROOT / "openapi" / "openapi.json", folder)
    for name in ("generate", "compile"):
        run_node(folder, NPM, "run", name)
    return folder


def test_it_explains(project: Path, photo: Path, environment: dict[str, str]) -> None:
    printed = run_node(project, "dist/explain.js", photo, "a red circle", **environment)
    strongest = [line.split() for line in printed.splitlines()]
    assert len(strongest) == 5
    assert all(words[1] == "x" and words[-2] == "+-" for words in strongest)


def test_it_tells_what_is_wrong(project: Path, photo: Path, environment: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match=r"Error: caption_control_character: .*the caption has"):
        run_node(project, "dist/explain.js", photo, "\x07", **environment)


def test_a_wrong_program_does_not_compile(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "wrong", symlinks=True)
    program = tmp_path / "wrong" / "explain.ts"
    program.write_text(program.read_text().replace("top_interactions", "top_interaction"))
    with pytest.raises(AssertionError, match="Property 'top_interaction' does not exist"):
        run_node(program.parent, NPM, "run", "compile")


def test_versions_are_pinned() -> None:
    package = json.loads((SOURCES / "package.json").read_text())
    named = {**package["dependencies"], **package["devDependencies"]}
    locked = json.loads(LOCK.read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in named} == named
    assert all("integrity" in entry for path, entry in locked.items() if path)
