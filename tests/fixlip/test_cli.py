from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.jobs import png
from tests.support.processes import fixlip


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "picture.png"
    path.write_bytes(png())
    return str(path)


def test_help_names_every_command() -> None:
    outcome = fixlip("--help")
    assert outcome.returncode == 0
    for command in ("up", "serve", "worker", "explain", "demo"):
        assert command in outcome.stdout


def test_explain_writes_and_prints(service_url: str, picture: str, tmp_path: Path) -> None:
    outcome = fixlip(
        *("explain", picture, "a red circle", "--url", service_url, "--budget", "128", "--seed", "3", "--p", "0.4"),
        *("--out", str(tmp_path / "out")),
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "succeeded" in outcome.stdout
    assert "Strongest interactions" in outcome.stdout
    assert f"the tensor and the maps are in {tmp_path / 'out'}" in outcome.stdout
    assert (tmp_path / "out" / "maps" / "token-2.png").read_bytes().startswith(b"\x89PNG")


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


@pytest.mark.parametrize(
    ("command", "variable"),
    [("worker", "FIXLIP_DEVICE"), ("worker", "REDIS_URL"), ("serve", "FIXLIP_MAX_BUDGET"), ("up", "FIXLIP_GRACE_S")],
)
def test_wrong_settings_are_named(command: str, variable: str, tmp_path: Path) -> None:
    outcome = fixlip(command, **{"FIXLIP_DATA_DIR": str(tmp_path), variable: "wrong"})
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"fixlip: {variable}: ")
    assert "Traceback" not in outcome.stderr
