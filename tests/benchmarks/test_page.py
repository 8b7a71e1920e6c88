from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.browser
@pytest.mark.slow
def test_every_figure_is_taken() -> None:
    command = [sys.executable, "-m", "benchmarks.page", "--rounds", "1"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in done.stdout.splitlines() if "│" in line]
    figures = {cell[0]: float(cell[1]) for cell in cells}
    assert {"first paint, ms", "pin a word, ms", "move the slider of subsets, ms"} <= set(figures)
    assert all(figure > 0 for figure in figures.values())
    assert figures["weight of the page as it is sent, kB"] < 300
    assert figures["report over 14 x 14 patches and 20 words, kB"] < 2_000
