"""What the README says of using the service works as it is written, against ``fixlip up``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from fixlip.client import Client
from fixlip_core.demo.scenes import draw_scene
from tests.end_to_end.conftest import Up
from tests.support.explanations import example
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("\n## Use the service\n")[2].partition("\n## ")[0]
HERE = "http://127.0.0.1:8000"

LINES = re.findall(r"^\$ (.*)$", SECTION, flags=re.MULTILINE)
COMMANDS = [line for line in LINES if line.startswith(".venv/bin/fixlip ")]
REQUESTS = [line for line in LINES if line.startswith("curl ")]
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", SECTION, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where its reader has a picture, a label map, a list of pairs and an earlier result."""
    Image.fromarray(draw_scene(7).image).save(tmp_path / "photo.jpg")
    (tmp_path / "labels.json").write_text("[[0, 1], [2, 1]]")
    (tmp_path / "pairs.csv").write_text("image,caption\nphoto.jpg,a red circle\n")
    (tmp_path / "out").mkdir()
    replace(example(), tokens=("red", "sofa", "dog")).save(tmp_path / "out" / "interactions.npz")
    return tmp_path


def run(folder: Path, up: Up, *words: str, **environment: str) -> str:
    """What a program prints that succeeds."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "FIXLIP_URL": up.url,
            "COLUMNS": "200",
            "BROWSER": "true",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def in_shell(folder: Path, up: Up, line: str, **environment: str) -> str:
    """What a line prints, typed where ``fixlip`` is, and where the service answers at its usual place."""
    line = line.replace(".venv/bin/fixlip", f"{sys.executable} -m fixlip").replace(HERE, up.url)
    return run(folder, up, "bash", "-euo", "pipefail", "-c", line, **environment)


@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands(up: Up, folder: Path, line: str) -> None:
    result = folder / "out" / "interactions.npz"
    earlier = result.read_bytes()
    assert in_shell(folder, up, line)
    assert (result.read_bytes() != earlier) is (" explain " in line)


def test_its_requests(up: Up, folder: Path) -> None:
    submit, read, *others = REQUESTS
    job = json.loads(in_shell(folder, up, submit))
    with Client(up.url) as client:
        assert client.wait(job["id"], within_s=120).has_succeeded
    assert json.loads(in_shell(folder, up, read, ID=job["id"]))["status"] == "succeeded"
    for line in others:
        in_shell(folder, up, f"{line} --fail", ID=job["id"])
    assert (folder / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "explanation.npz").read_bytes().startswith(b"PK")


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_programs(up: Up, folder: Path, program: str) -> None:
    assert run(folder, up, sys.executable, "-c", program)
    assert (folder / "out" / "maps" / "graph.png").exists()


def test_there_is_something_to_try() -> None:
    assert (len(COMMANDS), len(REQUESTS), len(PROGRAMS)) >= (6, 5, 1)
