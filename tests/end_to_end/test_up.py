from __future__ import annotations

import io
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.formats import from_json_bytes, from_npz_bytes, to_npz_bytes
from tests.end_to_end.conftest import Up
from tests.support.processes import alive, fixlip, wait_until

pytestmark = pytest.mark.slow

StartUp = Callable[[Path], Up]
SCENE = draw_scene(7, n_objects=2)


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(SCENE.image).save(buffer, format="PNG")
    return buffer.getvalue()


def submit(up: Up, **params: Any) -> dict[str, Any]:
    response = httpx.post(
        f"{up.url}/v1/explanations",
        data={"caption": SCENE.caption, "params": json.dumps(params)},
        files={"image": ("scene.png", picture(), "image/png")},
    )
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    return job


def read(up: Up, job: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(up.url + job["urls"]["self"]).json()
    return answer


def wait_for(up: Up, job: dict[str, Any], status: str, *, within_s: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while (job := read(up, job))["status"] != status:
        assert job["status"] in ("queued", "running"), job["error"]
        assert time.monotonic() < deadline, job["status"]
        time.sleep(0.1)
    return job


def test_from_submission_to_every_result(up: Up) -> None:
    models = httpx.get(f"{up.url}/v1/models").json()["items"]
    assert [(model["id"], model["live"]) for model in models] == [("demo", True)]
    job = wait_for(up, submit(up, budget=128, seed=5), "succeeded")
    urls = {name: url for name, url in job["urls"].items() if isinstance(url, str) and name != "cancel"}
    files = {name: httpx.get(up.url + url).raise_for_status() for name, url in urls.items()}
    explanation = from_npz_bytes(files["interactions_npz"].content)
    assert to_npz_bytes(from_json_bytes(files["interactions_json"].content)) == files["interactions_npz"].content
    result = files["result"].json()
    assert result["tokens"] == list(explanation.tokens) == job["output"]["tokens"]
    assert result["provenance"]["seed"] == 5
    assert result["full_value"] == explanation.full_value
    assert job["progress"]["completed"] == job["progress"]["total"]
    for url in job["urls"]["maps"].values():
        image = Image.open(io.BytesIO(httpx.get(up.url + url).raise_for_status().content))
        assert image.format == "PNG"
    assert len(job["urls"]["maps"]) == 2 + len(explanation.tokens)


def test_answer_is_that_of_the_library_to_the_byte(up: Up) -> None:
    job = wait_for(up, submit(up, budget=64, seed=1), "succeeded")
    own = fx.explain(fx.load_encoder("demo"), SCENE.image, SCENE.caption, budget=64, seed=1)
    assert httpx.get(up.url + job["urls"]["interactions_npz"]).content == to_npz_bytes(own)


def stopped_by(up: Up, number: signal.Signals) -> None:
    """One signal ends everything, in good order."""
    assert set(up.children) == {"redis", "api", "worker"}
    up.process.send_signal(number)
    output, errors = up.process.communicate(timeout=60)
    assert up.process.returncode == 0
    assert output.endswith("stopped\n")
    assert "Traceback" not in errors
    assert is_gone(up)


def is_gone(up: Up) -> bool:
    return not [name for name, pid in up.children.items() if alive(pid)]


def test_one_signal_ends_everything_and_a_second_up_finds_the_earlier_jobs(start_up: StartUp, tmp_path: Path) -> None:
    first = start_up(tmp_path)
    job = wait_for(first, submit(first, budget=64), "succeeded")
    tensor = httpx.get(first.url + job["urls"]["interactions_npz"]).content
    stopped_by(first, signal.SIGINT)
    second = start_up(tmp_path)
    assert read(second, job) == job
    assert httpx.get(second.url + job["urls"]["interactions_npz"]).content == tensor
    stopped_by(second, signal.SIGTERM)


def test_jobs_outlive_every_end_and_nothing_else_does(start_up: StartUp, tmp_path: Path) -> None:
    impatient = start_up(tmp_path)
    long = submit(impatient, budget=8192)
    wait_for(impatient, long, "running")
    impatient.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    impatient.process.send_signal(signal.SIGINT)
    impatient.process.communicate(timeout=60)
    assert is_gone(impatient)

    crashing = start_up(tmp_path)
    assert read(crashing, long)["status"] in ("queued", "running")
    httpx.post(crashing.url + long["urls"]["cancel"]).raise_for_status()
    short = submit(crashing, budget=512)
    wait_for(crashing, short, "running")
    subprocess.run(["kill", "-9", str(crashing.children["worker"])], check=True)
    _, errors = crashing.process.communicate(timeout=60)
    assert crashing.process.returncode == 1
    assert "fixlip: the worker stopped with exit status -9" in errors
    assert is_gone(crashing)

    killed = start_up(tmp_path)
    assert wait_for(killed, short, "succeeded")["error"] is None
    assert read(killed, long)["status"] == "canceled"
    killed.process.send_signal(signal.SIGKILL)
    wait_until(lambda: is_gone(killed))
    assert start_up(tmp_path).url != ""


def test_two_on_one_directory(up: Up) -> None:
    outcome = fixlip("up", "--data", str(up.data), "--port", "0")
    assert outcome.returncode == 1
    assert f"is in use by a running fixlip (process {up.process.pid})" in outcome.stderr
    assert httpx.get(f"{up.url}/readyz").is_success
