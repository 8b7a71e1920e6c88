from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from worker.settings import WorkerSettings


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIXLIP_MODELS", "FIXLIP_MODELS_FILE", "FIXLIP_DEVICE", "FIXLIP_PRECISION", "FIXLIP_THREADS"):
        monkeypatch.delenv(name, raising=False)
    settings = WorkerSettings()
    assert (settings.models, settings.device, settings.precision, settings.threads) == (("demo",), "cpu", "fp32", None)
    assert settings.models_file is None
    assert settings.named_models is None


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIXLIP_MODELS", "demo, ViT-B-32/openai,, demo")
    monkeypatch.setenv("FIXLIP_DEVICE", "cuda:1")
    monkeypatch.setenv("FIXLIP_THREADS", "2")
    monkeypatch.setenv("FIXLIP_HEARTBEAT_S", "4")
    settings = WorkerSettings()
    assert settings.models == ("demo", "ViT-B-32/openai")
    assert settings.device == "cuda:1"
    assert settings.threads == 2
    assert settings.liveness_ttl_s == 12


def test_models_that_are_named_are_told_from_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIXLIP_MODELS", "demo")
    assert WorkerSettings().named_models == ("demo",)
    assert WorkerSettings(models=("fake",)).named_models == ("fake",)


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIXLIP_MODELS", "FIXLIP_MODELS_FILE", "FIXLIP_THREADS"):
        monkeypatch.setenv(name, "")
    settings = WorkerSettings()
    assert (settings.named_models, settings.models_file, settings.threads) == (None, None, None)
    monkeypatch.setenv("FIXLIP_MODELS_FILE", "models.toml")
    assert WorkerSettings().models_file == Path("models.toml")


@pytest.mark.parametrize(("device", "slots"), [("cpu", 4), ("cuda", 8), ("cuda:1", 8)])
def test_a_gpu_has_work_for_more_jobs_at_once(monkeypatch: pytest.MonkeyPatch, device: str, slots: int) -> None:
    monkeypatch.delenv("FIXLIP_CONCURRENCY", raising=False)
    assert WorkerSettings(device=device).slots == slots
    monkeypatch.setenv("FIXLIP_CONCURRENCY", "3")
    assert WorkerSettings(device=device).slots == 3


@pytest.mark.parametrize(("cores", "renderers"), [(None, 1), (1, 1), (2, 1), (4, 2), (64, 4)])
def test_maps_are_drawn_by_half_the_cores_at_most_four(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, renderers: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert WorkerSettings().renderers == renderers
    assert WorkerSettings(render_processes=7).renderers == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIXLIP_MODELS", " , "),
        ("FIXLIP_DEVICE", "gpu"),
        ("FIXLIP_PRECISION", "fp8"),
        ("FIXLIP_THREADS", "0"),
        ("FIXLIP_HEARTBEAT_S", "0"),
        ("FIXLIP_GRACE_S", "-1"),
        ("FIXLIP_CONCURRENCY", "0"),
        ("FIXLIP_MEMORY_BYTES", "0"),
        ("FIXLIP_MAX_RETRIES", "-1"),
        ("FIXLIP_RENDER_PROCESSES", "0"),
    ],
)
def test_bad_values_name_the_field(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("FIXLIP_").lower()):
        WorkerSettings()
