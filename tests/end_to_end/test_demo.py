from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from fixlip_core.demo.scenes import draw_scene
from fixlip_core.explanation import Explanation
from tests.support.processes import fixlip


@pytest.mark.slow
def test_demo_shows_and_writes_everything(tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = fixlip("demo", "--out", str(out), "--seed", "8", "--budget", "256", TMPDIR=str(tmp_path))
    assert outcome.returncode == 0, outcome.stderr
    scene = draw_scene(8, n_objects=2)
    explanation = Explanation.load(out / "interactions.npz")
    assert "Strongest interactions" in outcome.stdout
    strongest = explanation.top_interactions(1, cross_modal=True)[0]
    row = next(line for line in outcome.stdout.splitlines() if f"{strongest.value:+.4f}" in line)
    assert strongest.labels[1] in row
    assert str(explanation.players.position(strongest.players[0])) in row
    assert f"± {strongest.std_error:.4f}" in row
    assert f"faithfulness, estimated (leave-one-out): R² = {explanation.estimated_r2:.4f}" in outcome.stdout
    measured = re.search(r"measured on 2,000 fresh coalitions: R² = (0\.\d+), Pearson's r = 0\.9", outcome.stdout)
    assert measured is not None, outcome.stdout
    assert float(measured[1]) == pytest.approx(explanation.estimated_r2, abs=0.05)
    assert "fixlip up --models ViT-B-32/openai" in outcome.stdout
    assert Image.open(out / "scene.png").tobytes() == scene.image.tobytes()
    maps = {path.stem for path in (out / "maps").iterdir()}
    assert maps == {"first-order", "graph", *(f"token-{k}" for k in range(len(explanation.tokens)))}
    assert (out / "result.json").exists()
    assert (out / "interactions.json").exists()
    assert not list(tmp_path.glob("fixlip-*")), "temporary files are left"
