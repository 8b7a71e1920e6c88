"""A batch through the real stack with the demo encoder."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

import fixlip_core as fx
from fixlip.client import Client
from fixlip_core.demo.scenes import draw_scene
from tests.end_to_end.conftest import Up

pytestmark = pytest.mark.slow

SCENES = [draw_scene(seed, n_objects=2) for seed in range(3)]
PARAMS: dict[str, Any] = {"budget": 64, "seed": 1}


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(SCENES[number].image).save(buffer, format="PNG")
    return buffer.getvalue()


def test_pairs_are_explained_judged_and_compared(up: Up, tmp_path: Path) -> None:
    pairs = [
        {"custom_id": f"scene-{number}", "image": picture(number), "caption": scene.caption}
        for number, scene in enumerate(SCENES)
    ]
    methods: list[dict[str, Any]] = [{"method": "fixlip", "params": PARAMS}, {"method": "grad_eclip"}]
    with Client(up.url) as client:
        batch = client.batches.submit(pairs=pairs, methods=methods, evaluate=["faithfulness"])
        assert client.batches.wait(batch, within_s=120).request_counts.completed == 6
        client.batches.download(batch, tmp_path)
        lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
        first = client.interactions(lines[0]["job_id"])
        summary = client.batches.summary(batch)

    own = fx.explain(fx.load_encoder("demo"), SCENES[0].image, SCENES[0].caption, **PARAMS)
    assert (first.second == own.second).all()
    assert [(line["custom_id"], line["pair_id"]) for line in lines[:2]] == [
        ("scene-0:fixlip", "scene-0"),
        ("scene-0:grad_eclip", "scene-0"),
    ]
    table = pq.read_table(tmp_path / "table.parquet").to_pylist()
    pearson = {(row["pair_id"], row["method"]): row["value"] for row in table if row["score"] == "pearson"}
    assert len(pearson) == 6
    (compared,) = (one for one in summary.comparisons if one.score == "pearson")
    wins = sum(pearson[f"scene-{number}", "fixlip"] > pearson[f"scene-{number}", "grad_eclip"] for number in range(3))
    assert (compared.wins, compared.n) == (wins, 3)
    assert wins == 3
    assert {len(line["explanation"]["output"]["maps"]) for line in lines} == {0}
