"""What an exception says of the device, and its memory. Torch is named only: not every process that batches has it."""

from __future__ import annotations

import sys
from typing import Final

from fixlip_core.errors import DeviceLostError

__all__ = ["free_memory", "is_lost", "is_out_of_memory", "memory_bytes"]

_OUT_OF_MEMORY: Final = ("DefaultCPUAllocator", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory")
_LOST: Final = ("CUDA error", "CUBLAS_STATUS", "CUDNN_STATUS")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was not enough memory, on the device or on the host."""
    if isinstance(error, MemoryError) or _is_named(error, "OutOfMemoryError"):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _OUT_OF_MEMORY)


def is_lost(error: BaseException) -> bool:
    """Whether the device is of no more use to this process: after such an error every call fails."""
    if isinstance(error, DeviceLostError):
        return True
    if is_out_of_memory(error):
        return False
    is_known = _is_named(error, "AcceleratorError") or any(sign in str(error) for sign in _LOST)
    return isinstance(error, RuntimeError) and is_known


def free_memory() -> None:
    """Give back what is kept of the device's memory for later."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def memory_bytes(device: str) -> dict[str, int]:
    """Memory of a GPU: what tensors of this process take, what it keeps for more, and all there is and is free.

    Args:
        device: such as ``cuda`` or ``cuda:1``.

    Returns:
        Bytes by ``used``, ``reserved``, ``total`` and ``free``; empty where it is no GPU, or none has been used yet.
    """
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda") or not torch.cuda.is_initialized():
        return {}
    free, total = torch.cuda.mem_get_info(device)
    used, reserved = torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)
    return {"used": used, "reserved": reserved, "total": total, "free": free}


def _is_named(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
