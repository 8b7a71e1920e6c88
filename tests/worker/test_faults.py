from __future__ import annotations

import pytest

from fixlip_core.errors import (
    BatcherStoppedError,
    DeviceLostError,
    DeviceMemoryError,
    InvalidCaptionError,
    RenderingLostError,
    WeightsNotFoundError,
)
from service.jobs.errors import ArtifactNotFoundError, StorageUnavailableError
from worker.faults import judge, pause_before_retry_s


class OutOfMemoryError(RuntimeError):
    """By name and base what torch raises for a device."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidCaptionError("the caption has no words", code="caption_empty"), "caption_empty"),
        (ArtifactNotFoundError("image.png"), "artifact_not_found"),
        (DeviceMemoryError("a single row does not fit"), "out_of_memory"),
        (RuntimeError("secret path /srv/models"), "internal_error"),
        (ZeroDivisionError("secret"), "internal_error"),
    ],
)
def test_faults_of_the_job_are_final(error: Exception, code: str) -> None:
    fault = judge(error, max_retries=8)
    assert (fault.failure.code, fault.retries, fault.breaks_device) == (code, 0, False)
    assert "secret" not in fault.failure.detail
    assert fault.is_unforeseen is (code == "internal_error")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageUnavailableError("disk full"), "storage_unavailable"),
        (RenderingLostError("killed"), "rendering_lost"),
        (WeightsNotFoundError("not mounted"), "weights_not_found"),
    ],
)
def test_faults_of_the_place_may_pass(error: Exception, code: str) -> None:
    fault = judge(error, max_retries=8)
    assert (fault.failure.code, fault.retries, fault.breaks_device) == (code, 8, False)
    assert not fault.is_unforeseen


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
@pytest.mark.parametrize(("max_retries", "retries"), [(8, 2), (1, 1)])
def test_memory_may_be_there_later_but_is_not_asked_for_long(error: Exception, max_retries: int, retries: int) -> None:
    fault = judge(error, max_retries=max_retries)
    assert (fault.failure.code, fault.retries) == ("out_of_memory", retries)


@pytest.mark.parametrize(
    "error",
    [
        DeviceLostError("CUDA error"),
        BatcherStoppedError("it has ended"),
        RuntimeError("CUDA error: an illegal memory access was encountered"),
    ],
)
def test_the_loss_of_the_device_is_the_process_end(error: Exception) -> None:
    assert judge(error, max_retries=8).breaks_device


def test_pauses_double_up_to_a_minute_and_differ() -> None:
    for retries, expected in enumerate([1, 2, 4, 8, 16, 32, 60, 60]):
        pauses = {pause_before_retry_s(retries) for _ in range(20)}
        assert len(pauses) > 1
        assert all(expected <= pause <= 1.25 * expected for pause in pauses)
