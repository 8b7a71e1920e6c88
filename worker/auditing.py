"""The audit record of every job: what its worker knows of it, sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Self

from PIL import Image

from fixlip_core.audit.digests import pixels_sha256, sources_sha256, text_sha256, values_sha256
from fixlip_core.audit.environment import environment_of
from fixlip_core.audit.record import (
    AuditContent,
    AuditInput,
    AuditJob,
    AuditMethod,
    AuditModel,
    AuditPasses,
    AuditScore,
    AuditTimings,
    AuditValues,
)
from fixlip_core.audit.sealing import seal
from fixlip_core.audit.signing import Signer
from fixlip_core.encoders.card import ModelCard
from fixlip_core.explanation import Explanation
from service.jobs.records import Job, utc_now
from worker.execution import Execution
from worker.explaining import Outcome

__all__ = ["AUDIT", "AUDITED_PACKAGES", "Auditor", "Evidence"]

AUDIT: Final = "audit.json"
"""The record's name among a job's files."""

AUDITED_PACKAGES: Final = ("fixlip_core", "worker")
"""Whose sources compute the values."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a run only while its inputs and its model are at hand.

    Attributes:
        card: the model.
        params: the method's parameters in full.
        pixels_sha256: digest of the picture.
        image_size_px: its width and height.
    """

    card: ModelCard
    params: Mapping[str, Any]
    pixels_sha256: str
    image_size_px: tuple[int, int]

    @classmethod
    def of(cls, card: ModelCard, params: Mapping[str, Any], picture: Image.Image) -> Self:
        """The evidence of a run of this model on this picture."""
        return cls(card, params, pixels_sha256(picture), picture.size)


class Auditor:
    """Adds their record to the files of jobs.

    Args:
        signer: signs the records; None: they are not signed.
    """

    def __init__(self, signer: Signer | None = None) -> None:
        self._signer = signer
        for package in AUDITED_PACKAGES:
            sources_sha256(package)  # which remembers them as they are now: files may change below a running process

    def attest(self, execution: Execution, evidence: Evidence, explanation: Explanation, outcome: Outcome) -> Outcome:
        """The outcome with the record among its files.

        Args:
            execution: the run.
            evidence: what was known of it.
            explanation: what it found.
            outcome: what it gives, with all other files.
        """
        content = AuditContent(
            job=_job(execution.job),
            timings=_timings(execution),
            input=_input(execution.job, evidence),
            model=_model(evidence.card),
            method=_method(execution.job, evidence.params, explanation),
            environment=environment_of(evidence.card, packages=AUDITED_PACKAGES),
            passes=AuditPasses(
                image=explanation.image_passes, text=explanation.text_passes, evaluation=outcome.evaluation_passes
            ),
            values=AuditValues.of(explanation, sha256=values_sha256(explanation)),
            scores=tuple(AuditScore(**dict(score)) for score in outcome.output.evaluation),
            files={name: sha256(data).hexdigest() for name, data in outcome.files.items()},
        )
        return replace(outcome, files={**outcome.files, AUDIT: seal(content, self._signer)})


def _job(job: Job) -> AuditJob:
    return AuditJob(
        id=job.id,
        attempt=job.attempt,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=utc_now(),
    )


def _timings(execution: Execution) -> AuditTimings:
    phases: dict[str, float] = {}
    for stretch in execution.trail.phases:
        phases[stretch.phase] = phases.get(stretch.phase, 0.0) + stretch.ended_s - stretch.started_s
    metrics = execution.metrics()
    return AuditTimings(queue_s=metrics.queue_s, run_s=metrics.run_s, phases=phases)


def _input(job: Job, evidence: Evidence) -> AuditInput:
    caption = job.input.caption
    return AuditInput(
        image_sha256=job.input.image_sha256,
        pixels_sha256=evidence.pixels_sha256,
        image_size_px=evidence.image_size_px,
        caption=caption,
        caption_sha256=text_sha256(caption),
    )


def _model(card: ModelCard) -> AuditModel:
    return AuditModel(
        id=card.id,
        weights_sha256=card.weights_sha256,
        family=card.family,
        grid=card.grid,
        image_size_px=card.image_size_px,
        logit_scale=card.logit_scale,
        logit_bias=card.logit_bias,
    )


def _method(job: Job, params: Mapping[str, Any], explanation: Explanation) -> AuditMethod:
    seed = explanation.provenance.get("seed")
    return AuditMethod(
        name=job.method,
        params=dict(params),
        evaluate=job.evaluate,
        seed=None if seed is None else int(seed),
    )
