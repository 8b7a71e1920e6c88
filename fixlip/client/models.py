"""What the service answers, typed. Members that this version does not know are left out: a newer service has more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Explained",
    "Failure",
    "FieldError",
    "Input",
    "Interactions",
    "Job",
    "JobMap",
    "JobPage",
    "Links",
    "Method",
    "MethodCost",
    "MethodList",
    "Metric",
    "MetricList",
    "MetricScore",
    "Metrics",
    "Model",
    "ModelList",
    "ModelRef",
    "Outcome",
    "Progress",
    "Quota",
    "QuotaList",
    "Result",
    "Score",
    "TopInteraction",
    "TopPlayer",
    "Upload",
    "WebhookState",
]

_OPEN: Final = frozenset({"queued", "running"})


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FieldError(_Answer):
    """What is wrong with one field of a request."""

    field: str
    code: str
    message: str


class ModelRef(_Answer):
    """The model that explains, and which weights."""

    id: str
    revision: str


class Input(_Answer):
    """What is explained."""

    image_sha256: str
    caption: str


class Progress(_Answer):
    """Forward passes done; ``total`` is 0 until a worker has planned them."""

    completed: int = 0
    total: int = 0
    unit: str = "forward_passes"


class Metrics(_Answer):
    """Measured cost; None until known. The passes of ``evaluate`` are counted apart."""

    queue_s: float | None = None
    run_s: float | None = None
    forward_passes: int | None = None
    evaluation_passes: int | None = None


class Failure(_Answer):
    """Why a job ended without a result."""

    code: str
    detail: str


class WebhookState(_Answer):
    """Whether the end of the job was told to ``url``: ``pending``, ``delivered`` or ``failed``."""

    url: str
    state: str = "pending"
    attempts: int = 0


class JobMap(_Answer):
    """A drawn map."""

    name: str
    title: str


class TopPlayer(_Answer):
    """One of the strongest players."""

    label: str
    player: int
    value: float
    std_error: float | None = None


class TopInteraction(_Answer):
    """One of the strongest pairs of players."""

    labels: tuple[str, str]
    players: tuple[int, int]
    value: float
    std_error: float | None = None


class Score(_Answer):
    """What a metric found: one number, with its 95 % interval. A ``value`` of None is explained in ``note``."""

    metric: str
    name: str
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    higher_is_better: bool
    note: str | None = None


class Outcome(_Answer):
    """The outcome in brief. ``docs/clients.md`` of the service says what the values are."""

    index: str
    order: int
    tokens: tuple[str, ...]
    grid: tuple[int, int]
    regions: tuple[int, ...] = ()
    region_labels: tuple[str, ...] = ()
    empty_value: float
    full_value: float
    baseline: float | None = None
    estimated_r2: float | None = None
    image_passes: int
    text_passes: int
    maps: tuple[JobMap, ...] = ()
    top_players: tuple[TopPlayer, ...] = ()
    top_interactions: tuple[TopInteraction, ...] = ()
    evaluation: tuple[Score, ...] = ()


class Result(Outcome):
    """The outcome with all that led to it."""

    model: ModelRef
    method: str
    params: dict[str, Any]
    input: Input
    provenance: dict[str, Any] = {}


class Links(_Answer):
    """Names of the maps that can be had, each with its path; and paths of what not every job, or service, has."""

    page: str | None = None
    report_html: str | None = None
    view: str | None = None
    evaluation: str | None = None
    maps: dict[str, str] = {}
    maps_svg: dict[str, str] = {}


class Job(_Answer):
    """A job as it stood when the service answered."""

    id: str
    status: str
    model: ModelRef
    method: str
    params: dict[str, Any]
    input: Input
    evaluate: tuple[str, ...] = ()
    maps: bool = True
    output: Outcome | None = None
    error: Failure | None = None
    progress: Progress = Progress()
    metrics: Metrics = Metrics()
    attempt: int = 0
    cached: bool = False
    batch_id: str | None = None
    custom_id: str | None = None
    webhook: WebhookState | None = None
    request_id: str | None = None
    metadata: dict[str, str] = {}
    created_at: datetime
    started_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    estimated_start: datetime | None = None
    estimated_duration_s: float | None = None
    urls: Links = Links()

    @property
    def is_final(self) -> bool:
        """Whether the status never changes again."""
        return self.status not in _OPEN

    @property
    def has_succeeded(self) -> bool:
        """Whether there is a result."""
        return self.status == "succeeded"


class JobPage(_Answer):
    """Some jobs of a list, the newest first."""

    items: tuple[Job, ...]
    next_page_token: str | None = None


class Upload(_Answer):
    """An image that jobs can name by its id."""

    id: str
    sha256: str
    width: int
    height: int
    bytes: int
    created_at: datetime
    expires_at: datetime | None = None


class Model(_Answer):
    """A model that workers serve, or have served."""

    id: str
    revision: str
    family: str
    grid: tuple[int, int]
    image_size_px: tuple[int, int]
    max_tokens: int
    embed_dim: int
    attention: bool
    methods: tuple[str, ...]
    precision: str
    device: str
    live: bool
    workers: int


class ModelList(_Answer):
    """All models."""

    items: tuple[Model, ...]


class MethodCost(_Answer):
    """Passes of one explanation with the default parameters; None where they follow from their cost."""

    image_passes: int
    text_passes: int | None = None
    backward_passes: int


class Method(_Answer):
    """A method of explanation; ``parameters`` is the JSON schema of ``params``."""

    name: str
    title: str
    paper: str
    order: int
    needs_attention: bool
    cost: MethodCost
    parameters: dict[str, Any]


class MethodList(_Answer):
    """All methods."""

    items: tuple[Method, ...]


class MetricScore(_Answer):
    """A score that a metric gives."""

    name: str
    title: str
    higher_is_better: bool


class Metric(_Answer):
    """A metric that judges explanations; ``cost`` is the most that it takes beside a default explanation."""

    name: str
    title: str
    source: str
    needs: str
    scores: tuple[MetricScore, ...]
    cost: MethodCost


class MetricList(_Answer):
    """All metrics."""

    items: tuple[Metric, ...]


class Quota(_Answer):
    """How much of something the tenant may have; a ``limit`` of None is none, and then ``used`` may not be counted.

    After ``resets_in_s`` seconds all of it is there again; None for what comes free as it is used no more.
    """

    name: str
    limit: int | None = None
    used: int | None = None
    window_s: int | None = None
    resets_in_s: int | None = None


class QuotaList(_Answer):
    """All quotas of a tenant."""

    items: tuple[Quota, ...]


class Explained(NamedTuple):
    """A job that has succeeded, and its result."""

    job: Job
    result: Result


class Interactions(NamedTuple):
    """The whole tensor: of n players, (n,) main effects and an (n, n) matrix of pairs, with their standard errors.

    ``header`` has the rest of the explanation: tokens, grid, index, baseline, provenance and so on.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    first_std_error: NDArray[np.float64]
    second_std_error: NDArray[np.float64]
    header: dict[str, Any]
