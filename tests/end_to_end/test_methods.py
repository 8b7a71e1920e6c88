"""Every method through the whole stack, on the demo encoder."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.formats import from_npz_bytes, to_npz_bytes
from fixlip_core.methods import METHODS
from tests.end_to_end.conftest import Up

pytestmark = pytest.mark.slow

SCENE = draw_scene(11, n_objects=2)
HALVES = np.repeat([[0, 1]], 2, axis=0).tolist()
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in METHODS if name != "fixlip"},
    "fixlip": ("fixlip", {"budget": 64}),
    "auto": ("fixlip", {"budget": "auto", "target_r2": 0.5, "max_passes": 256}),
    "shapley": ("fixlip", {"index": "shapley", "budget": 64}),
    "order 1": ("fixlip", {"order": 1, "budget": 64}),
    "regions and words": ("fixlip", {"regions": HALVES, "text_players": "word", "budget": 16}),
    "boxes": ("fixlip", {"boxes": [[0, 0, 64, 64], [64, 64, 128, 128]], "budget": 16}),
    "blur and padding": ("fixlip", {"image_removal": "blur", "text_removal": "token", "budget": 64}),
}


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(SCENE.image).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def jobs(up: Up) -> dict[str, dict[str, Any]]:
    """One job of each kind, all of them submitted before the first is waited for, as they ended."""
    submitted = {}
    for kind, (method, params) in REQUESTS.items():
        data = {"caption": SCENE.caption, "method": method, "params": json.dumps(params)}
        response = httpx.post(f"{up.url}/v1/explanations", data=data, files={"image": picture()})
        assert response.status_code == 202, response.text
        submitted[kind] = response.json()["urls"]["self"]
    return {kind: finished(up.url + path) for kind, path in submitted.items()}


def finished(url: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (job := httpx.get(url).json())["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(job)


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_job_gives_what_the_library_gives(up: Up, jobs: dict[str, dict[str, Any]], kind: str) -> None:
    job = jobs[kind]
    assert job["status"] == "succeeded", job["error"]
    tensor = httpx.get(up.url + job["urls"]["interactions_npz"]).raise_for_status().content
    explanation = from_npz_bytes(tensor)
    method, params = REQUESTS[kind]
    own = fx.explain(fx.load_encoder("demo"), SCENE.image, SCENE.caption, method=method, **params)
    np.testing.assert_allclose(own.first, explanation.first, atol=1e-4)
    np.testing.assert_allclose(own.second, explanation.second, atol=1e-4)
    assert to_npz_bytes(explanation) == tensor


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_job_tells_what_it_did(up: Up, jobs: dict[str, dict[str, Any]], kind: str) -> None:
    job = jobs[kind]
    output = job["output"]
    explanation = from_npz_bytes(httpx.get(up.url + job["urls"]["interactions_npz"]).content)
    assert job["progress"]["completed"] == job["progress"]["total"] > 0
    assert job["metrics"]["forward_passes"] == output["image_passes"] + output["text_passes"]
    assert (output["index"], output["order"]) == (explanation.index, explanation.order)
    assert (output["baseline"] is None) is not explanation.additive
    assert tuple(output["regions"]) == explanation.regions
    assert output["top_players"]
    assert bool(output["top_interactions"]) is (explanation.order == 2)
    maps = set(job["urls"]["maps"])
    tokens = {f"token-{k}" for k in range(explanation.n_text)}
    assert maps == ({"first-order", "graph", *tokens} if explanation.order == 2 else {"first-order"})
    for url in job["urls"]["maps"].values():
        assert httpx.get(up.url + url).raise_for_status().content.startswith(b"\x89PNG")
    result = httpx.get(up.url + job["urls"]["result"]).raise_for_status().json()
    assert result["method"] == REQUESTS[kind][0]
    assert {name: result[name] for name in output} == output


def test_indices_name_what_was_asked_for(jobs: dict[str, dict[str, Any]]) -> None:
    indices = {kind: jobs[kind]["output"]["index"] for kind in REQUESTS}
    assert indices == {
        "exclip": "exCLIP",
        "m2ib": "M2IB",
        "nib": "NIB",
        "grad_eclip": "Grad-ECLIP",
        "game": "GAME",
        "legrad": "LeGrad",
        "fixlip": "WFBII",
        "auto": "WFBII",
        "shapley": "FSII",
        "order 1": "WBV",
        "regions and words": "WFBII",
        "boxes": "WFBII",
        "blur and padding": "WFBII",
    }


def test_the_models_run_the_methods_that_are_listed(up: Up) -> None:
    (model,) = httpx.get(f"{up.url}/v1/models").json()["items"]
    methods = [item["name"] for item in httpx.get(f"{up.url}/v1/methods").json()["items"]]
    assert model["attention"] is True
    assert model["methods"] == methods == list(METHODS)
