"""The rules of the house that no single file shows: what imports what, what a module exports, how long it is.

Which package may import which is import-linter's business (``make imports``), order in ``__all__`` is ruff's.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("fixlip", "fixlip_core", "service", "worker")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LONGEST_FILE_LINES = 400
HEAVY = ("open_clip", "safetensors", "timm", "torch", "torchvision")

# What a process that only speaks HTTP imports: torch would cost it seconds and hundreds of megabytes.
LIGHT_IMPORTS = (
    "import fixlip",
    "import fixlip.cli",
    "import fixlip_core",
    "import service",
    "import service.app",
    "import service.jobs",
    "import worker",
    "import fixlip_core.captions, fixlip_core.explanation, fixlip_core.formats, fixlip_core.images",
    "import fixlip_core.encoders.card, fixlip_core.methods, fixlip_core.rendering",
    "from fixlip_core.demo.scenes import draw_scene",
)


def name_of(path: Path) -> str:
    """``service/jobs/queue.py`` as a test's id."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """The module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def exported_names(tree: ast.Module) -> list[str] | None:
    """The literal ``__all__``, or None where there is none."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            assert node.value is not None
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def public_definitions(tree: ast.Module) -> set[str]:
    """Functions and classes without an underscore at the top level.

    What a decorator such as ``@router.get(...)`` hands to a registry is reached through that, not by its name.
    """
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not any(isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) for call in node.decorator_list)
    }


def test_there_is_something_to_check() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)


@pytest.mark.parametrize("statement", LIGHT_IMPORTS)
def test_importing_it_does_not_import_torch(statement: str, tmp_path: Path) -> None:
    program = f"{statement}\nimport sys\nprint(*sorted({set(HEAVY)!r} & sys.modules.keys()))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
class TestModule:
    def test_says_what_it_is(self, path: Path) -> None:
        assert ast.get_docstring(tree_of(path))

    def test_is_one_idea(self, path: Path) -> None:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE_LINES

    def test_exports_what_it_defines(self, path: Path) -> None:
        tree = tree_of(path)
        names, public = exported_names(tree), public_definitions(tree)
        if names is None:
            assert not public, f"no __all__, but public names: {', '.join(sorted(public))}"
        else:
            assert public <= set(names)
            assert len(set(names)) == len(names)


def test_every_exported_name_is_there() -> None:
    # In one process of its own, because the adapters and the worker do import torch.
    program = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    print(*(f"{name}.{member}" for member in getattr(module, "__all__", ()) if not hasattr(module, member)))
"""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES if path.stem != "__main__"]
    names = [name.removesuffix(".__init__") for name in modules]
    done = subprocess.run(
        [sys.executable, "-c", program, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", [path for path in MODULES if "fixlip_core" in path.parts], ids=name_of)
def test_the_core_does_not_read_the_environment(path: Path) -> None:
    names = {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute | ast.alias)
    }
    assert names.isdisjoint({"environ", "environb", "getenv", "getenvb"})
