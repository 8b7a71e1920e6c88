"""Jobs that are judged, through the whole stack, on the demo encoder."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

import fixlip_core as fx
from fixlip.client import Client
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.evaluation import evaluate
from fixlip_core.evaluation.metrics import EVALUATION_METRICS
from fixlip_core.explanation import Explanation
from tests.end_to_end.conftest import Up

pytestmark = pytest.mark.slow

SCENE = draw_scene(11, n_objects=2)
PARAMS = {"budget": 16, "regions": [[0, 1], [2, 3]], "text_players": "word", "seed": 5}


def test_a_job_has_the_scores_that_the_library_gives(up: Up, tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.fromarray(SCENE.image).save(picture, format="PNG")
    asked = list(EVALUATION_METRICS)
    with Client(up.url, api_key="") as client:
        job, result = client.explain(
            image=picture.getvalue(), caption=SCENE.caption, params=PARAMS, evaluate=asked, cache="bypass"
        )
        client.download(job, tmp_path)
    explanation = Explanation.load(tmp_path / "interactions.npz")
    own = evaluate(fx.load_encoder("demo"), SCENE.image, SCENE.caption, explanation, asked, seed=5)
    assert [(score.metric, score.name) for score in result.evaluation] == [(s.metric, s.name) for s in own.scores]
    for told, score in zip(result.evaluation, own.scores, strict=True):
        assert told.value == pytest.approx(score.value, abs=1e-3), score
        assert (told.note, told.higher_is_better) == (score.note, score.higher_is_better)
    assert job.metrics.evaluation_passes == own.image_passes + own.text_passes
    document = json.loads((tmp_path / "evaluation.json").read_text())
    assert document["seed"] == 5
    assert (tmp_path / "maps" / "insertion-deletion.png").exists()
