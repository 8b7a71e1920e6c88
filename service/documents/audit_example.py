"""An audit record as an example."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from fixlip_core.audit.record import (
    AuditEnvironment,
    AuditInput,
    AuditJob,
    AuditMethod,
    AuditModel,
    AuditPasses,
    AuditRecord,
    AuditScore,
    AuditSignature,
    AuditTimings,
    AuditValues,
)
from fixlip_core.encoders.card import ModelCard
from service.jobs.records import Job, JobOutput

__all__ = ["audit_example"]

_SHA256: Final = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
_ENVIRONMENT: Final = AuditEnvironment(
    fixlip="0.1.0",
    sources={"fixlip_core": _SHA256, "worker": _SHA256},
    libraries={"numpy": "2.3.5", "torch": "2.9.1"},
    python="3.11.9",
    platform="Linux-6.1.0-x86_64-with-glibc2.36",
    device="cpu",
    device_name="Intel(R) Xeon(R) Processor (AVX512)",
    precision="fp32",
    threads=2,
)
_SCORE: Final = AuditScore(
    metric="faithfulness", name="r2", value=0.94, ci_low=0.93, ci_high=0.95, higher_is_better=True, note=None
)


def audit_example(job: Job, card: ModelCard, output: JobOutput) -> dict[str, Any]:
    """The record of a job that has succeeded, as the API shows it."""
    record = AuditRecord(
        job=AuditJob(
            id=job.id,
            attempt=1,
            created_at=job.created_at,
            started_at=job.created_at,
            completed_at=job.created_at + timedelta(seconds=3),
        ),
        timings=AuditTimings(queue_s=0.5, run_s=2.5, phases={"passes": 1.5, "solve": 0.5, "render": 0.5}),
        input=AuditInput(
            image_sha256=job.input.image_sha256,
            pixels_sha256=_SHA256,
            image_size_px=(640, 480),
            caption=job.input.caption,
            caption_sha256=_SHA256,
        ),
        model=AuditModel(
            id=card.id,
            weights_sha256=card.weights_sha256,
            family=card.family,
            grid=card.grid,
            image_size_px=card.image_size_px,
            logit_scale=card.logit_scale,
            logit_bias=card.logit_bias,
        ),
        method=AuditMethod(name=job.method, params=job.params, evaluate=("faithfulness",), seed=0),
        environment=_ENVIRONMENT,
        passes=AuditPasses(image=output.image_passes, text=output.text_passes, evaluation=2_000),
        values=AuditValues(
            sha256=_SHA256,
            index=output.index,
            order=output.order,
            tokens=output.tokens,
            n_image=2,
            baseline=output.baseline,
            empty_value=output.empty_value,
            full_value=output.full_value,
            estimated_r2=output.estimated_r2,
        ),
        scores=(_SCORE,),
        files={"interactions.npz": _SHA256, "result.json": _SHA256},
        digest=_SHA256,
        signature=AuditSignature(key_id=_SHA256, value="c2lnbmVkIGJ5IHRoZSBvcGVyYXRvcidzIGtleQ=="),
    )
    return record.model_dump(mode="json")
