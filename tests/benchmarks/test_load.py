from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.load import IMAGE_BYTES, Load, picture

ROOT = Path(__file__).parents[2]


def test_percentiles_are_of_the_answers() -> None:
    load = Load("GET", 10.0, {1.0: 90, 5.0: 9, 200.0: 1}, 0, {}, 0)

    assert load.requests == 100
    assert [load.percentile_ms(percent) for percent in (50, 90, 91, 99, 100)] == [1.0, 1.0, 5.0, 5.0, 200.0]


def test_the_picture_is_as_long_as_wanted_and_each_variant_is_another_picture(tmp_path: Path) -> None:
    jpeg = picture(np.random.default_rng(0))
    assert 0.9 * IMAGE_BYTES < len(jpeg) <= IMAGE_BYTES
    assert jpeg == picture(np.random.default_rng(0))
    (tmp_path / "image.jpg").write_bytes(jpeg)
    (tmp_path / "jobs.json").write_text("[]")
    program = (
        "import sys, benchmarks.load_users as users\n"
        "for number in (0, 1, 99, 100, 9_999, 999_999): sys.stdout.buffer.write(users._form(number))"
    )
    environment = {
        **os.environ,
        "FIXLIP_LOAD_FOLDER": str(tmp_path),
        "FIXLIP_LOAD_KEY": "key",
        "FIXLIP_LOAD_SEED": "0",
    }
    # In a process of its own: locust exchanges parts of the standard library.
    forms = subprocess.check_output([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, env=environment)

    images = [form[form.index(b"\xff\xd8") :] for form in forms.split(b"--a-boundary--\r\n")[:-1]]
    pixels = {hashlib.sha256(Image.open(io.BytesIO(image)).tobytes()).hexdigest() for image in images}
    assert len(pixels) == len(images) == 6


@pytest.mark.slow
def test_a_little_load_is_borne(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.load", "--seconds", "3", "--reads", "5", "--submits", "5"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in done.stdout.splitlines() if "│" in line]
    found = {cell[0]: cell[1:] for cell in cells}
    assert int(found["GET job"][1]) == int(found["POST job"][1]) == 0
    accepted = int(found["answered with 202"][0])
    assert accepted > 0
    assert int(found["final in the end"][0]) == accepted
    assert {found[name][0] for name in ("of these, lost", "there, but never answered", "ended twice")} == {"0"}
