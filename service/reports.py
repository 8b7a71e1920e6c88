"""Reports of jobs, put together from their stored files: the documents ``report.json`` and ``report.html``."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import AwareDatetime, Field, JsonValue
from pydantic_core import from_json

from fixlip_core.audit.record import AuditRecord
from fixlip_core.errors import FormatError, InvalidImageError
from fixlip_core.formats import from_npz_bytes
from fixlip_core.report import ReportedExplanation, ReportedImage, report_document
from service.jobs.errors import ArtifactNotFoundError, BundleDamagedError
from service.jobs.evaluations import EVALUATION, JobEvaluation
from service.jobs.records import Job, JobInput, JobMetrics, JobModel, Record
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore

__all__ = ["VIEW", "ExplanationReport", "ReportedJob", "report_of"]

VIEW: Final = "view.png"
"""What the model saw, among a job's files."""


class ReportedJob(Record):
    """What a report says of its job: what was asked, and what it took; not whom to tell, nor when it is removed."""

    id: str
    model: JobModel
    method: str
    params: dict[str, JsonValue]
    input: JobInput
    evaluate: tuple[str, ...]
    metrics: JobMetrics
    cached: bool
    metadata: dict[str, str]
    batch_id: str | None
    custom_id: str | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    completed_at: AwareDatetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """That of ``job``."""
        return cls(**{name: getattr(job, name) for name in cls.model_fields})


class ExplanationReport(Record):
    """Everything that is drawn of an explanation."""

    format: Literal[1] = Field(description="Version of this document.")
    explanation: ReportedExplanation
    image: ReportedImage
    job: ReportedJob
    evaluation: JobEvaluation | None = Field(description="What the metrics of `evaluate` found; null without them.")
    audit: AuditRecord | None = Field(description="The audit record; null where there is none.")


def report_of(
    job: Job, results: Bundle, bundles: BundleStore, *, pairs: bool = True, embed_image: bool = False
) -> dict[str, Any]:
    """An :class:`ExplanationReport` as JSON values.

    Args:
        job: has succeeded.
        results: its files.
        bundles: where they are.
        pairs: whether the values of pairs are wanted, and the evaluation's subsets.
        embed_image: whether the picture is to be in the document.

    Raises:
        ArtifactNotFoundError: a file is not there.
        StorageUnavailableError: the store does not answer, or a file is damaged.
    """
    try:
        return report_document(
            from_npz_bytes(_read(bundles, results, "interactions.npz")),
            _read(bundles, results, VIEW),
            pairs=pairs,
            embed_image=embed_image,
            job=ReportedJob.of(job).model_dump(mode="json"),
            evaluation=_document(bundles, results, EVALUATION),
            audit=_document(bundles, results, "audit.json"),
        )
    except (FormatError, InvalidImageError) as error:
        raise BundleDamagedError(results.digest, error) from error


def _document(bundles: BundleStore, results: Bundle, name: str) -> dict[str, Any] | None:
    """A document in JSON; None where the job has none."""
    try:
        data = _read(bundles, results, name)
    except ArtifactNotFoundError:
        return None
    try:
        document: dict[str, Any] = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise BundleDamagedError(results.digest, f"{name} is no JSON: {error}") from error
    return document


def _read(bundles: BundleStore, results: Bundle, name: str) -> bytes:
    entry = bundles.find(results, name)
    return bundles.read_part(results, entry, 0, entry.size_bytes)
