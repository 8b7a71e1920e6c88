"""What this process computes with: code, libraries, device; all that the last bits of an explanation depend on."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from fixlip_core.audit.digests import sources_sha256
from fixlip_core.audit.record import AuditEnvironment
from fixlip_core.encoders.card import ModelCard

__all__ = ["environment_of"]

_LIBRARIES: Final = (
    "ftfy",
    "numpy",
    "open_clip_torch",
    "pillow",
    "safetensors",
    "scipy",
    "tokenizers",
    "torch",
    "torchvision",
)


def environment_of(card: ModelCard, *, packages: Sequence[str] = ("fixlip_core",)) -> AuditEnvironment:
    """What computes the explanations of a model in this process, as it is now.

    Args:
        card: the model, loaded.
        packages: those of this project's packages whose sources count.
    """
    torch = _torch()
    return AuditEnvironment(
        fixlip=_version("fixlip"),
        sources={package: sources_sha256(package) for package in packages},
        libraries={name: _version(name) for name in _LIBRARIES} | _gpu_libraries(card.device),
        python=platform.python_version(),
        platform=platform.platform(),
        device=card.device,
        device_name=_device_name(card.device),
        precision=card.precision,
        threads=torch.get_num_threads() if torch else 1,  # NumPy's BLAS is limited to one
    )


@cache  # they are read from files, with Python's lock held
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@cache
def _gpu_libraries(device: str) -> dict[str, str | None]:
    if not device.startswith("cuda"):
        return {}
    import torch

    cudnn = torch.backends.cudnn.version()
    return {"cuda": torch.version.cuda, "cudnn": None if cudnn is None else str(cudnn)}


def _device_name(device: str) -> str:
    torch = _torch()
    if torch is None:
        return _cpu_model()
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    return f"{_cpu_model()} ({torch.backends.cpu.get_cpu_capability()})"


def _torch() -> Any:
    """PyTorch, where this process has it; an encoder without it computes without it, and need not wait for it."""
    return sys.modules.get("torch")


@cache
def _cpu_model() -> str:
    """What the kernel calls the CPU; elsewhere than on Linux, its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == "model name"]
    return names[0] if names else platform.machine()
