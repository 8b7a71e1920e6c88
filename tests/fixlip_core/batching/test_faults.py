"""What an exception says of the device."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from fixlip_core.batching.faults import free_memory, is_lost, is_out_of_memory, memory_bytes
from fixlip_core.errors import DeviceLostError

OUT_OF_MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:75] err == 0. DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]
LOST = [
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`"),
    torch.AcceleratorError("unspecified launch failure"),
    DeviceLostError("said the encoder itself"),
]
NEITHER = [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("CUDA error"), KeyError("x")]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=str)
def test_out_of_memory(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_lost(error)


@pytest.mark.parametrize("error", LOST, ids=str)
def test_lost(error: Exception) -> None:
    assert is_lost(error)
    assert not is_out_of_memory(error)


@pytest.mark.parametrize("error", NEITHER, ids=str)
def test_neither(error: Exception) -> None:
    assert not is_lost(error)
    assert not is_out_of_memory(error)


def test_what_torch_says_on_a_cpu_is_known() -> None:
    """Not only its wording of today: memory that no machine has."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert is_out_of_memory(caught.value)


def test_memory_can_be_given_back_without_a_gpu() -> None:
    free_memory()


class Cuda:
    """What torch says of a machine with two GPUs, the second of which is in use."""

    def __init__(self, *, is_initialized: bool) -> None:
        self._is_initialized = is_initialized

    def is_initialized(self) -> bool:
        return self._is_initialized

    def mem_get_info(self, device: str) -> tuple[int, int]:
        return {"cuda:0": (80, 80), "cuda:1": (50, 80)}[device]

    def memory_allocated(self, device: str) -> int:
        return {"cuda:0": 0, "cuda:1": 10}[device]

    def memory_reserved(self, device: str) -> int:
        return {"cuda:0": 0, "cuda:1": 20}[device]


def test_the_memory_is_that_of_the_gpu_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=Cuda(is_initialized=True)))
    assert memory_bytes("cuda:1") == {"used": 10, "reserved": 20, "total": 80, "free": 50}
    assert memory_bytes("cpu") == {}


def test_a_gpu_is_not_woken_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=Cuda(is_initialized=False)))
    assert memory_bytes("cuda:1") == {}
    monkeypatch.delitem(sys.modules, "torch")
    assert memory_bytes("cuda:1") == {}
