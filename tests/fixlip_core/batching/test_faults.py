"""What an exception says of the device."""

from __future__ import annotations

import pytest
import torch

from fixlip_core.batching.faults import free_memory, is_lost, is_out_of_memory
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
