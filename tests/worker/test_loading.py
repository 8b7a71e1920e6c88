from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.loading import model_loads
from worker.models_file import ModelsFileError
from worker.settings import WorkerSettings

pytestmark = pytest.mark.slow

FILE = """
    [[model]]
    id = "large"
    architecture = "ViT-B-23"
    weights = "openai"
    [[model]]
    id = "house"
    weights = "demo"
    precision = "bf16"
    [[model]]
    id = "other"
    weights = "demo"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_models_by_name() -> None:
    ((name, load),) = model_loads(WorkerSettings(models=("demo",))).items()
    card = load().card
    assert (name, card.id, card.precision) == ("demo", "demo", "fp32")


def test_models_of_a_file_by_id(file: Path) -> None:
    loads = model_loads(WorkerSettings(models_file=file, models=("other", "house")))
    assert [(name, load().card.id, load().card.precision) for name, load in loads.items()] == [
        ("other", "other", "fp32"),
        ("house", "house", "bf16"),
    ]


def test_all_models_of_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIXLIP_MODELS", raising=False)
    loads = model_loads(WorkerSettings(models_file=file))
    assert list(loads) == ["large", "house", "other"]
    with pytest.raises(ModelsFileError, match="'large', architecture: "):
        loads["large"]()


def test_nothing_but_the_files_ids_can_be_named(file: Path) -> None:
    with pytest.raises(ModelsFileError, match="it has no model 'demo', which FIXLIP_MODELS names"):
        model_loads(WorkerSettings(models_file=file, models=("house", "demo")))


def test_the_workers_start_stops_with_one_line(file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fixlip", "worker"],
        env={
            **os.environ,
            "FIXLIP_MODELS_FILE": str(file),
            "FIXLIP_MODELS": "",
            "REDIS_URL": "redis://127.0.0.1:1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"fixlip: {file}: model 'large', architecture: ")
