"""What an error of a run means: the job's own fault, a fault of the place that may pass, or the loss of the device."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from fixlip_core.batching import is_lost, is_out_of_memory
from fixlip_core.errors import (
    BatcherStoppedError,
    DeviceLostError,
    DeviceMemoryError,
    FixlipError,
    RenderingLostError,
    WeightsNotFoundError,
)
from service.jobs.errors import StorageUnavailableError
from service.jobs.records import JobFailure

__all__ = ["Fault", "judge", "pause_before_retry_s"]

MEMORY_RETRIES: Final = 2
"""A job that found no memory beside others may find it later; one that never will should not be tried for long."""

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0

_OUT_OF_MEMORY: Final = JobFailure(
    code=DeviceMemoryError.code,
    detail="the worker's memory did not suffice for this job; use a smaller model or image",
)
_DEVICE_LOST: Final = JobFailure(code=DeviceLostError.code, detail="the device failed for good")
_UNFORESEEN: Final = JobFailure(
    code="internal_error",
    detail="the worker failed in an unforeseen way; its log has the details under this job's id",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do about an error.

    Attributes:
        failure: what the client is told, in the end. The text of an error that nobody foresaw stays in the log.
        retries: how often the job may be tried again before that.
        breaks_device: no job can run in this process any more.
    """

    failure: JobFailure
    retries: int = 0
    breaks_device: bool = False

    @property
    def is_unforeseen(self) -> bool:
        """Whether the error is one that somebody should look at."""
        return self.failure is _UNFORESEEN


def judge(error: Exception, *, max_retries: int) -> Fault:
    """What ``error``, which a run raised, is taken for; faults that may pass allow ``max_retries``."""
    match error:
        case DeviceLostError() | BatcherStoppedError():
            return Fault(_failure(error), breaks_device=True)
        case StorageUnavailableError() | RenderingLostError() | WeightsNotFoundError():
            return Fault(_failure(error), retries=max_retries)
        case FixlipError():
            return Fault(_failure(error))
        case _ if is_out_of_memory(error):
            return Fault(_OUT_OF_MEMORY, retries=min(MEMORY_RETRIES, max_retries))
        case _ if is_lost(error):
            # Found out by what a job does on the device itself, such as loading its model.
            return Fault(_DEVICE_LOST, breaks_device=True)
        case _:
            return Fault(_UNFORESEEN)


def pause_before_retry_s(retries: int) -> float:
    """Seconds until a job that has been retried ``retries`` times is: 1, 2, 4 ... 60, and up to a fourth more.

    Jobs that failed together do not all come back together.
    """
    longest: float = min(FIRST_PAUSE_S * 2.0**retries, LONGEST_PAUSE_S)
    return longest * random.uniform(1.0, 1.25)


def _failure(error: FixlipError) -> JobFailure:
    return JobFailure(code=error.code, detail=str(error))
