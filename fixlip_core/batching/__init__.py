"""One device for many jobs: their masked rows share its batches, and methods that run towers themselves take turns."""

from __future__ import annotations

from fixlip_core.batching.batcher import Batcher
from fixlip_core.batching.faults import free_memory, is_lost, is_out_of_memory, memory_bytes
from fixlip_core.batching.statistics import BatcherStatistics, BatchRun, Modality
from fixlip_core.batching.turns import Turn

__all__ = [
    "BatchRun",
    "Batcher",
    "BatcherStatistics",
    "Modality",
    "Turn",
    "free_memory",
    "is_lost",
    "is_out_of_memory",
    "memory_bytes",
]
