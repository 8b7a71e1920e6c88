from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fixlip.client import Client
from fixlip.stack import listen
from fixlip_core.explanation import Explanation
from fixlip_core.formats import from_npz_bytes
from tests.support.explanations import example
from tests.support.jobs import PARAMS, png
from tests.support.processes import ROOT, fixlip, wait_until
from tests.support.scripted_service import JOB, ScriptedService, events, job, problem


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "picture.png"
    path.write_bytes(png())
    return str(path)


def test_help_names_every_command() -> None:
    outcome = fixlip("--help")
    assert outcome.returncode == 0
    for command in (
        "up",
        "serve",
        "worker",
        "sweep",
        "check",
        "explain",
        "show",
        "open",
        "jobs",
        "cancel",
        "delete",
        "models",
        "methods",
        "metrics",
        "demo",
        "benchmark",
    ):
        assert command in outcome.stdout


def test_explain_writes_and_prints(service_url: str, picture: str, tmp_path: Path) -> None:
    outcome = fixlip(
        *("explain", picture, "a red circle", "--url", service_url, "--budget", "128", "--seed", "3", "--p", "0.4"),
        *("--evaluate", "faithfulness, aid", "--out", str(tmp_path / "out")),
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "succeeded" in outcome.stdout
    assert "Evaluation" in outcome.stdout
    assert "second_order" in outcome.stdout
    assert (tmp_path / "out" / "evaluation.json").exists()
    assert "Strongest interactions" in outcome.stdout
    assert f"the tensor and the maps are in {tmp_path / 'out'}" in outcome.stdout
    assert re.search(rf"^in the browser: {service_url}/#/explanations/[0-9a-f]{{32}}$", outcome.stdout, re.MULTILINE)
    assert "\x1b" not in outcome.stdout
    assert (tmp_path / "out" / "maps" / "token-2.png").read_bytes().startswith(b"\x89PNG")


def test_explain_by_parameters_of_any_name(service_url: str, picture: str, tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text("[[0, 1], [2, 1]]")
    outcome = fixlip(
        *(
            "explain",
            picture,
            "a red circle",
            "--url",
            service_url,
            "--method",
            "fixlip",
            "--out",
            str(tmp_path / "out"),
        ),
        *("--param", f"regions=@{labels}", "--param", "score=cosine", "--param", "budget=64", "--watch"),
        FORCE_COLOR="1",
        COLORTERM="truecolor",
        TERM="xterm-256color",
    )
    assert outcome.returncode == 0, outcome.stderr
    explanation = Explanation.load(tmp_path / "out" / "interactions.npz")
    assert (explanation.n_image, explanation.score) == (3, "cosine")
    assert "region 1" in outcome.stdout
    assert "words and regions, cosine" in outcome.stdout
    assert "\x1b[1mpicture\x1b[0m" in outcome.stdout
    assert "\x1b[38;2;" in outcome.stdout


def test_a_result_is_shown_and_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "interactions.npz"
    replace(example(), tokens=("a", "\x1b[2J", "[red]")).save(path)
    shown = fixlip("show", str(path), "--word", "2", "--top", "3", COLUMNS="80", PYTHONIOENCODING="ascii")
    assert shown.returncode == 0, shown.stderr
    assert "pairs with [red]" in shown.stdout
    assert shown.stdout.isascii()
    assert not set(shown.stdout) & {"\x1b", "\r"}
    wrong = fixlip("show", str(path), "--patch", "9,9")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert wrong.stderr.startswith("fixlip: --patch is ROW,COLUMN up to 1,2")
    refused = fixlip("figure", str(path), "--kind", "scores", "--out", str(path))
    assert (refused.returncode, refused.stderr) == (1, f"fixlip: {path}: File exists\n")


def test_a_job_is_shown_and_opened(service_url: str, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    browser.chmod(0o755)
    with Client(service_url) as client:
        job = client.submit(image=png(seed=3), caption="a red circle", params=PARAMS, wait_s=30)
        explanation = from_npz_bytes(client.interactions_npz(job))
    shown = fixlip("show", job.id, "--url", service_url, "--json", "--players", "--top", "2")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert document["tokens"] == list(explanation.tokens)
    assert abs(document["top"][0]["value"]) == abs(explanation.first).max()
    page = f"{service_url}/#/explanations/{job.id}"
    opened = fixlip("open", job.id, "--url", service_url, BROWSER=str(browser))
    assert (opened.returncode, opened.stdout) == (0, f"{page}\n"), opened.stderr
    options = ("--report", "--print", "--out", str(tmp_path / "out"))
    report = fixlip("open", job.id, *options, FIXLIP_URL=service_url, BROWSER=str(browser))
    assert report.stdout == f"{(tmp_path / 'out' / 'report.html').as_uri()}\n", report.stderr
    assert (tmp_path / "out" / "report.html").read_bytes().lower().startswith(b"<!doctype html>")
    assert (tmp_path / "opened").read_text() == f"{page}\n"


def test_ctrl_c_leaves_the_job_running_and_says_how_to_come_back(picture: str, tmp_path: Path) -> None:
    with ScriptedService() as service:
        # The job is submitted and looked at, then its events begin, of which none comes.
        service.will(job(), job("running"), events(": still\n\n", is_cut=True, held_s=20.0))
        process = subprocess.Popen(
            [sys.executable, "-m", "fixlip", "explain", picture, "a red circle", "--url", service.url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: len(service.requests) == 3)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"the job {JOB['id']} goes on without you" in output
    for command in ("show", "open", "cancel"):
        assert f"{command} {JOB['id']} --url {service.url.rstrip('/')}" in output


def test_jobs_are_listed_canceled_and_deleted(service_url: str) -> None:
    with Client(service_url) as client:
        job = client.submit(image=png(), caption="a [red] circle", params=PARAMS, wait_s=30)
    listed = fixlip("jobs", "--url", service_url, "--status", "succeeded", "--limit", "1")
    assert listed.returncode == 0, listed.stderr
    assert job.id in listed.stdout
    assert "a [red] circle" in listed.stdout
    canceled = fixlip("cancel", job.id, "--url", service_url)
    assert canceled.returncode == 1
    assert "is succeeded already" in canceled.stderr
    assert fixlip("delete", job.id, FIXLIP_URL=service_url).stdout == f"the job {job.id} is removed\n"
    again = fixlip("delete", job.id, "--url", service_url)
    assert again.returncode == 1
    assert again.stderr.startswith("fixlip: the service says no (404")


def test_a_key_is_sent() -> None:
    with ScriptedService() as service:
        service.will(problem(401, "unauthenticated"), problem(401, "unauthenticated"))
        given = fixlip("jobs", "--url", service.url, "--api-key", "fxl_given", FIXLIP_API_KEY="fxl_of_environment")
        fixlip("jobs", "--url", service.url, FIXLIP_API_KEY="fxl_of_environment")
    keys = [request.headers["authorization"] for request in service.requests]
    assert keys == ["Bearer fxl_given", "Bearer fxl_of_environment"]
    assert given.stderr == "fixlip: the service says no (401 Unauthorized): told unauthenticated\n"


def test_models_and_methods_are_listed(service_url: str) -> None:
    models = fixlip("models", "--url", service_url)
    assert models.returncode == 0, models.stderr
    assert "fake" in models.stdout
    methods = fixlip("methods", FIXLIP_URL=service_url)
    assert methods.returncode == 0, methods.stderr
    assert "grad_eclip" in methods.stdout
    metrics = fixlip("metrics", FIXLIP_URL=service_url)
    assert metrics.returncode == 0, metrics.stderr
    assert "faithfulness" in metrics.stdout
    method = fixlip("methods", "exclip", "--url", service_url)
    assert "2408.14153" in method.stdout
    assert "steps" in method.stdout


def test_a_method_that_is_none(service_url: str) -> None:
    outcome = fixlip("methods", "grad/cam", "--url", service_url)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("fixlip: the service says no (404")


def test_explain_without_a_service(picture: str) -> None:
    outcome = fixlip("explain", picture, "a red circle", FIXLIP_URL="http://127.0.0.1:9")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("fixlip: no service answers at http://127.0.0.1:9")
    assert "fixlip up" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_explain_that_is_refused(service_url: str, picture: str) -> None:
    outcome = fixlip("explain", picture, "a red circle", "--url", service_url, "--p", "2")
    assert outcome.returncode == 1
    assert "fixlip: the service says no (422" in outcome.stderr
    assert "p" in outcome.stderr


def test_explain_of_a_missing_file() -> None:
    outcome = fixlip("explain", "no-such-file.png", "a red circle")
    assert outcome.returncode == 2
    assert "no-such-file.png" in outcome.stderr


def test_worker_with_an_unknown_model() -> None:
    outcome = fixlip("worker", "--models", "no-such-model")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("fixlip: model 'no-such-model' is unknown")
    assert "Traceback" not in outcome.stderr


def test_worker_whose_metrics_find_their_port_taken() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        outcome = fixlip("worker", FIXLIP_METRICS_PORT=str(port))
    assert outcome.returncode == 1
    assert f"FIXLIP_METRICS_PORT: cannot listen on 127.0.0.1 port {port}" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_worker_on_a_device_that_is_none() -> None:
    outcome = fixlip("worker", "--devices", "gpu")
    assert outcome.returncode == 1
    assert outcome.stderr == "fixlip: 'gpu' is no device: all, cpu, cuda, or GPUs such as cuda:0,cuda:1\n"


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("worker", "FIXLIP_DEVICE"),
        ("worker", "REDIS_URL"),
        ("sweep", "FIXLIP_HEARTBEAT_S"),
        ("serve", "FIXLIP_MAX_BUDGET"),
        ("up", "FIXLIP_GRACE_S"),
    ],
)
def test_wrong_settings_are_named(command: str, variable: str, tmp_path: Path) -> None:
    outcome = fixlip(command, **{"FIXLIP_DATA_DIR": str(tmp_path), variable: "wrong"})
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"fixlip: {variable}: ")
    assert "Traceback" not in outcome.stderr
