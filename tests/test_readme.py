"""The README says what is true: its programs run, and its commands, routes, settings and folders exist."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fixlip.cli import app
from fixlip_core.methods import METHODS, FixlipParameters
from service.views import MethodView
from tests.support.recipes import COMPOSE_VARIABLES
from tests.support.settings import variables
from worker.models_file import read_models_file

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN_LINES = 24
CLIENT_VARIABLES = {"FIXLIP_API_KEY", "FIXLIP_URL"}
OPENAPI: dict[str, Any] = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))


def blocks(language: str) -> list[str]:
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def table(*header: str) -> list[list[str]]:
    """The cells of the table with this header."""
    lines = README.splitlines()
    start = lines.index("| " + " | ".join(header) + " | |") + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def commands(program: str) -> list[list[str]]:
    """The words of every line of a console block that runs ``program``, settings before it left out."""
    lines = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    split = [shlex.split(line, comments=True) for line in lines]
    without_settings = [[word for word in words if not re.match(r"[A-Z_]+=", word)] for words in split]
    return [words for words in without_settings if words[0] == program]


@cache
def help_of(command: str) -> str:
    """What ``fixlip COMMAND --help`` prints."""
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0, done.output
    return done.output


def test_it_begins_with_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:FIRST_SCREEN_LINES])
    assert first_screen.index("$ make demo") < first_screen.index("$ make test")


@pytest.mark.slow
def test_its_programs_run(tmp_path: Path) -> None:
    # Those that call the service: tests/end_to_end/test_readme.py. One process for all, which imports torch once.
    programs = [block for block in blocks("python") if "import fixlip_core" in block]
    folders = [tmp_path / str(number) for number, _ in enumerate(programs)]
    for folder, program in zip(folders, programs, strict=True):
        folder.mkdir()
        (folder / "program.py").write_text(program, encoding="utf-8")
    run_all = (
        "import os, runpy, sys\nfor folder in sys.argv[1:]:\n    os.chdir(folder)\n    runpy.run_path('program.py')"
    )
    done = subprocess.run(
        [sys.executable, "-c", run_all, *map(str, folders)],
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for folder in folders:
        assert len(list(folder.iterdir())) > 1, f"{folder} has nothing that its program has written"


def test_its_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)`", README)) | {words[1] for words in commands("make")}
    assert {"demo", "test", "benchmarks", "help"} <= named
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in named)


def test_its_commands_and_their_options_exist() -> None:
    used = [words[1:] for words in commands(".venv/bin/fixlip")]
    named = re.findall(r"`(?:\.venv/bin/)?fixlip ([a-z]+)`", README)
    assert {words[0] for words in used} | set(named) >= {"up", "serve", "worker", "explain", "models", "methods"}
    for command, *words in [*used, *([name] for name in named)]:
        printed = help_of(command)
        assert all(word in printed for word in words if word.startswith("--"))


def test_its_routes_are_those_of_the_api() -> None:
    named = {tuple(route.split()) for cell, *_ in table("Route") for route in re.findall(r"`([A-Z]+ [^`]+)`", cell)}
    real = {(verb.upper(), path) for path, verbs in OPENAPI["paths"].items() for verb in verbs}
    assert {(verb, path.replace("{id}", "{explanation_id}")) for verb, path in named} == real


def test_its_methods_are_all_there_are_with_their_order_and_cost() -> None:
    rows = table("Method", "Paper", "Order", "Image, text and backward passes")
    for (name, paper, order, passes, _), spec in zip(rows, METHODS.values(), strict=True):
        view = MethodView.of(spec)
        assert name == f"`{view.name}`"
        assert paper == f"[{spec.paper}]({view.paper})"
        assert order == str(view.order)
        cost = view.cost
        text_passes = "by cost" if cost.text_passes is None else cost.text_passes
        assert passes == f"{cost.image_passes}, {text_passes}, {cost.backward_passes}"


def test_its_parameters_are_all_there_are_with_their_defaults() -> None:
    rows = {name.strip("`"): default.strip("`") for name, default, _ in table("Parameter", "Default")}
    fields = FixlipParameters.model_fields
    assert rows == {name: "null" if field.default is None else str(field.default) for name, field in fields.items()}


def test_its_requests_are_those_of_the_api() -> None:
    form = OPENAPI["paths"]["/v1/explanations"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    requests = commands("curl")
    fields = {word.split("=")[0] for words in requests for flag, word in pairwise(words) if flag == "-F"}
    assert set(form["required"]) <= fields <= form["properties"].keys()
    routes = [
        re.escape(path).replace(r"\{explanation_id\}", r"\$ID").replace(r"\{name\}", "[a-z0-9-]+")
        for path in OPENAPI["paths"]
    ]
    for words in requests:
        (url,) = (word for word in words if word.startswith("http"))
        path = url.removeprefix("http://127.0.0.1:8000")
        assert any(re.fullmatch(route, path) for route in routes), path


def test_its_settings_are_all_there_are_with_their_defaults() -> None:
    rows = {name.strip("`"): default.strip("`") for name, default, _ in table("Environment variable", "Default")}
    real = {name: str(default) for name, default in variables().items()}
    real["FIXLIP_MODELS"] = "demo"
    real["FIXLIP_MODELS_FILE"] = real["FIXLIP_METRICS_PORT"] = real["FIXLIP_SIGNING_KEY_FILE"] = "none"
    real["FIXLIP_STORE_URL"] = real["FIXLIP_CORS_ORIGINS"] = real["FIXLIP_IMAGE_HOSTS"] = real[
        "FIXLIP_OUTBOUND_ALLOW"
    ] = "none"
    real["FIXLIP_WEBHOOK_RETRIES_S"] = ",".join(map(str, variables()["FIXLIP_WEBHOOK_RETRIES_S"]))
    real["FIXLIP_THREADS"] = "one per core"
    real["FIXLIP_CONCURRENCY"] = "4, on a GPU 8"
    real["FIXLIP_MEMORY_BYTES"] = "no limit"
    real["FIXLIP_RENDER_PROCESSES"] = "half the cores, 1 to 4"
    assert rows == real


def test_its_models_files_are_such(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    (tmp_path / "models.toml").write_text(example, encoding="utf-8")
    (entry,) = read_models_file(tmp_path / "models.toml").values()
    assert entry.weights == str(tmp_path / "weights" / "siglip-b16.safetensors")


def test_its_other_settings_in_examples_exist() -> None:
    assert set(re.findall(r"FIXLIP_[A-Z_]+", README)) <= variables().keys() | COMPOSE_VARIABLES | CLIENT_VARIABLES


def test_its_folders_are_the_projects() -> None:
    named = set(re.findall(r"^\| `([a-z_]+)/` \|", README, flags=re.MULTILINE))
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    assert named == {
        *packages["build"]["targets"]["wheel"]["packages"],
        "openapi",
        "deploy",
        "docs",
        "benchmarks",
        "tests",
        "web",
    }
    assert all((ROOT / folder).is_dir() for folder in named)


def test_its_files_exist() -> None:
    paths = re.findall(r"`((?:fixlip_core|service|worker|openapi)/[a-z_/.]+)`", README)
    assert {"openapi/openapi.json", "service/jobs"} <= set(paths)
    assert all((ROOT / path).exists() for path in paths)
