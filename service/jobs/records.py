"""A job's record: what Redis holds and, with links added, what the API shows."""

from __future__ import annotations

import math
import re
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

__all__ = [
    "DEFAULT_TENANT",
    "Job",
    "JobFailure",
    "JobInput",
    "JobMetrics",
    "JobModel",
    "JobOutput",
    "JobProgress",
    "JobResult",
    "JobScore",
    "JobStatus",
    "JobWebhook",
    "MapInfo",
    "MaybeFloat",
    "Record",
    "TopInteraction",
    "TopPlayer",
    "WebhookState",
    "is_job_id",
    "new_job_id",
    "utc_now",
]

DEFAULT_TENANT: Final = "default"
"""Whose the jobs are where no API keys are configured."""

_JOB_ID: Final = re.compile(r"[0-9a-f]{32}")


def new_job_id() -> str:
    """A fresh job id: 32 hex digits, random."""
    return uuid.uuid4().hex


def is_job_id(text: str) -> bool:
    """Whether ``text`` has the form of a job id; anything else may not become a Redis key or a path."""
    return _JOB_ID.fullmatch(text) is not None


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


MaybeFloat = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A finite number, or null where there is none: JSON has no nan."""


class JobStatus(StrEnum):
    """Where a job stands; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def is_terminal(self) -> bool:
        """Whether the status never changes again."""
        return self not in (JobStatus.QUEUED, JobStatus.RUNNING)


class Record(BaseModel):
    """What records and documents are made of."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # errors are logged, and captions must not be
        json_schema_serialization_defaults_required=True,
    )


class JobModel(Record):
    """The model that explains, and which weights."""

    id: str
    revision: str = Field(description="`sha256:` and the first hex digits of the weights' digest.")


class JobInput(Record):
    """What is explained."""

    image_sha256: str = Field(description="Hex digest of the image's bytes as submitted.")
    caption: str


class JobProgress(Record):
    """Work done; `total` is 0 until a worker has planned it."""

    completed: int = Field(default=0, ge=0)
    total: int = Field(default=0, ge=0)
    unit: Literal["forward_passes"] = "forward_passes"


class JobMetrics(Record):
    """Measured cost; null until known."""

    queue_s: MaybeFloat = Field(default=None, description="Seconds from submit to start.")
    run_s: MaybeFloat = Field(default=None, description="Seconds from start to end.")
    forward_passes: int | None = Field(default=None, description="Forward passes of both towers, for the explanation.")
    evaluation_passes: int | None = Field(
        default=None, description="Forward passes of both towers for the metrics of `evaluate`, counted apart."
    )


class JobFailure(Record):
    """Why a job failed."""

    code: str = Field(description="Stable word for programs.")
    detail: str = Field(description="Sentence for people.")


class WebhookState(StrEnum):
    """Whether whoever waits for the job's end was told; the last two are final."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class JobWebhook(Record):
    """Who is told of the job's end, and whether that has happened."""

    url: str
    state: WebhookState = WebhookState.PENDING
    attempts: int = Field(default=0, ge=0, description="How often it was tried.")


class MapInfo(Record):
    """A rendered map that can be fetched by its name."""

    name: str
    title: str


_LABEL: Final = "A token's or word's text, `r3c5` for a patch's row and column, or `region 3`."


class TopPlayer(Record):
    """One of the strongest players."""

    label: str = Field(description=_LABEL)
    player: int = Field(description="Index: patches row-major or regions, then tokens or words.")
    value: float = Field(description="Its main effect; of an attribution, what it is given.")
    std_error: MaybeFloat = Field(default=None, description="Standard error, at order 1; null where there is none.")


class TopInteraction(Record):
    """One of the strongest pairs of players."""

    labels: tuple[str, str] = Field(description=_LABEL)
    players: tuple[int, int] = Field(description="Indices: patches row-major or regions, then tokens or words.")
    value: float
    std_error: MaybeFloat = Field(default=None, description="Standard error; null where the solver gives none.")


class JobScore(Record):
    """What a metric of `evaluate` found: one number."""

    metric: str = Field(description="A name of `GET /v1/metrics`.")
    name: str = Field(description="Which of the metric's scores.")
    value: MaybeFloat = Field(description="Null where this explanation, or this pair, has none: `note` says why.")
    ci_low: MaybeFloat = Field(default=None, description="Lower end of the 95 % interval; null where there is none.")
    ci_high: MaybeFloat = Field(default=None, description="Upper end, likewise.")
    higher_is_better: bool
    note: str | None = Field(default=None, description="What is to be known of the value, or why there is none.")


class JobOutput(Record):
    """The outcome in brief."""

    index: str = Field(
        description="What the values are: `WFBII` or `FSII` (`WBV` or `SV` at order 1), which add up to a model of the "
        "score; or the name of an attribution, which does not."
    )
    order: int = Field(description="Highest order of interaction, 1 or 2.")
    tokens: tuple[str, ...] = Field(description="The caption's players: tokens or words.")
    grid: tuple[int, int] = Field(description="Rows and columns of patches.")
    regions: tuple[int, ...] = Field(
        default=(), description="The image player of every patch, row-major; empty where every patch is one."
    )
    region_labels: tuple[str, ...] = Field(
        default=(), description="What the regions are called: the label map's labels, or the boxes' numbers."
    )
    empty_value: float = Field(description="Score with every player removed.")
    full_value: float = Field(description="Score with every player present.")
    baseline: MaybeFloat = Field(
        default=None, description="Predicted score of the empty coalition; null for an attribution."
    )
    estimated_r2: MaybeFloat = Field(default=None, description="Leave-one-out estimate of the fit; null if unknown.")
    image_passes: int
    text_passes: int
    maps: tuple[MapInfo, ...] = ()
    top_players: tuple[TopPlayer, ...] = ()
    top_interactions: tuple[TopInteraction, ...] = ()
    evaluation: tuple[JobScore, ...] = Field(
        default=(), description="The scores of the metrics that were asked for, in their order."
    )


class JobResult(JobOutput):
    """The outcome with all that led to it: the document ``result.json``."""

    model: JobModel
    method: str
    params: dict[str, JsonValue]
    input: JobInput
    provenance: dict[str, str | int | float | None] = Field(
        default_factory=dict, description="Seed, device, dtype, digests and library versions."
    )


class Job(Record):
    """A job's record. Instants are in UTC. Of a label map, `params.regions` has the digest alone."""

    id: str = Field(default_factory=new_job_id)
    status: JobStatus = JobStatus.QUEUED
    model: JobModel
    method: str
    params: dict[str, JsonValue]
    input: JobInput
    evaluate: tuple[str, ...] = Field(default=(), description="Metrics that judge the explanation once it is there.")
    maps: bool = Field(default=True, description="Whether maps are drawn; of a batch's jobs, where it asks for them.")
    output: JobOutput | None = None
    error: JobFailure | None = None
    progress: JobProgress = JobProgress()
    metrics: JobMetrics = JobMetrics()
    attempt: int = Field(default=0, ge=0, description="How often it was begun; an attempt that is lost is repeated.")
    created_at: AwareDatetime = Field(default_factory=utc_now)
    started_at: AwareDatetime | None = None
    cancel_requested_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = Field(
        default=None,
        description="When the job is removed with all its files; null: not before it has ended, or never; or it is of "
        "a batch, and removed with that.",
    )
    cached: bool = Field(
        default=False, description="Whether an earlier job's results answered it at once; see `cache` of the request."
    )
    metadata: dict[str, str] = Field(default_factory=dict)
    batch_id: str | None = Field(default=None, description="The batch that the job is of; null: it is of none.")
    custom_id: str | None = Field(default=None, description="The caller's name for it within the batch.")
    webhook: JobWebhook | None = None
    request_id: str | None = Field(default=None, description="Id of the request that submitted it, as in the logs.")
