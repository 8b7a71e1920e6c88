from __future__ import annotations

import subprocess
import sys

import pytest

from fixlip import devices
from fixlip.devices import count_gpus, parse_devices
from fixlip.errors import CommandError


@pytest.mark.parametrize(
    ("text", "gpus", "meant"),
    [
        ("all", 2, ("cuda:0", "cuda:1")),
        ("all", 0, ("cpu",)),
        ("cuda", 2, ("cuda:0", "cuda:1")),
        ("cuda:1", 2, ("cuda:1",)),
        ("cuda:1, cuda:0", 2, ("cuda:1", "cuda:0")),
        ("cuda:1,cuda,cuda:1", 2, ("cuda:1", "cuda:0")),
        ("cpu,cuda", 1, ("cpu", "cuda:0")),
    ],
)
def test_what_people_say(text: str, gpus: int, meant: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "count_gpus", lambda: gpus)
    assert parse_devices(text) == meant


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:-1", "cpu,,cpu", "CPU", "cuda:0 cuda:1"])
def test_what_is_no_device(text: str) -> None:
    with pytest.raises(CommandError, match="is no device: all, cpu, cuda, or GPUs such as cuda:0,cuda:1"):
        parse_devices(text)


@pytest.mark.parametrize(("text", "missing"), [("cuda:0,cuda:2", "cuda:2"), ("cuda:2,cpu", "cuda:2")])
def test_a_gpu_that_is_not_there(text: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "count_gpus", lambda: 2)
    with pytest.raises(CommandError, match=f"this machine has no {missing}: it has 2 GPUs that torch can use"):
        parse_devices(text)


def test_gpus_on_a_machine_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "count_gpus", lambda: 0)
    with pytest.raises(CommandError, match="this machine has no cuda: it has 0 GPUs"):
        parse_devices("cuda")


def test_the_cpu_needs_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        pytest.fail("it was not to be asked")

    monkeypatch.setattr(devices, "count_gpus", count)
    assert parse_devices("cpu") == ("cpu",)


def test_counting_is_torchs_own_and_leaves_torch_outside() -> None:
    code = "import sys; from fixlip.devices import count_gpus; print(count_gpus()); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    import torch

    assert int(done.stdout) == torch.cuda.device_count()


def test_torch_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_COUNT", "import no_such_package")
    with pytest.raises(CommandError, match=r"torch cannot count the GPUs: .*No module named 'no_such_package'"):
        count_gpus()


def test_torch_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_COUNT", "import time; time.sleep(60)")
    monkeypatch.setattr(devices, "COUNTED_WITHIN_S", 0.5)
    with pytest.raises(CommandError, match="torch did not count the GPUs"):
        count_gpus()
