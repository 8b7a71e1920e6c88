"""Bodies of the API's responses that are more than a record."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from fixlip_core.encoders.card import ModelCard
from fixlip_core.evaluation.metrics import MetricSpec
from fixlip_core.methods import METHODS, MethodSpec
from service.jobs.estimates import UNKNOWN, Estimate
from service.jobs.evaluations import EVALUATION
from service.jobs.records import Job

__all__ = [
    "EXPLANATIONS",
    "ExplanationJob",
    "ExplanationList",
    "ExplanationUrls",
    "Health",
    "MethodCostView",
    "MethodList",
    "MethodView",
    "MetricCostView",
    "MetricList",
    "MetricScoreView",
    "MetricView",
    "ModelList",
    "ModelView",
    "NewWebhookSecret",
    "QuotaList",
    "QuotaView",
    "WebhookSecretList",
    "WebhookSecretView",
]

EXPLANATIONS: Final = "/v1/explanations"
"""Path of the collection."""

_TYPICAL_PATCHES: Final = 49
_TYPICAL_TOKENS: Final = 10


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class ExplanationUrls(_View):
    """Where the job and its results are; results answer 409 until the job has succeeded."""

    self: str
    cancel: str
    page: str = Field(description="The page that shows it.")
    result: str
    report_json: str = Field(description="Everything that the page draws.")
    report_html: str = Field(description="The same as a page in one file, which needs no service.")
    view: str = Field(description="The part of the picture that the model saw.")
    audit: str
    evaluation: str | None = Field(
        default=None, description="What the metrics of `evaluate` found, with their curves; null where there are none."
    )
    interactions_npz: str
    interactions_json: str
    maps: dict[str, str] = Field(description="Maps by name, as PNG; empty until the job has succeeded.")
    maps_svg: dict[str, str] = Field(description="The same maps as SVG.")


class ExplanationJob(Job):
    """An explanation: the job, and its outcome once there is one."""

    estimated_start: AwareDatetime | None = Field(
        default=None,
        description="When a queued job will begin, by the workers' measured speed and what waits before it; null where "
        "nobody can know, and once it has begun.",
    )
    estimated_duration_s: float | None = Field(
        default=None,
        description="Seconds from its beginning to its end, likewise; null where nobody can know, and in the end.",
    )
    urls: ExplanationUrls

    @classmethod
    def of(cls, job: Job, *, base: str, estimate: Estimate = UNKNOWN) -> ExplanationJob:
        """``job`` with links, ``base`` being the path of the collection, and with what may be said of its future."""
        url = f"{base}/{job.id}"
        maps = job.output.maps if job.output else ()
        urls = ExplanationUrls(
            self=url,
            cancel=f"{url}/cancel",
            page=f"{base.removesuffix(EXPLANATIONS)}/#/explanations/{job.id}",
            result=f"{url}/result",
            report_json=f"{url}/report.json",
            report_html=f"{url}/report.html",
            view=f"{url}/view.png",
            audit=f"{url}/audit.json",
            evaluation=f"{url}/{EVALUATION}" if job.evaluate else None,
            interactions_npz=f"{url}/interactions.npz",
            interactions_json=f"{url}/interactions.json",
            maps={entry.name: f"{url}/maps/{entry.name}.png" for entry in maps},
            maps_svg={entry.name: f"{url}/maps/{entry.name}.svg" for entry in maps},
        )
        return cls(**dict(job), estimated_start=estimate.start, estimated_duration_s=estimate.duration_s, urls=urls)


class WebhookSecretView(_View):
    """A webhook secret, without what is secret."""

    id: str
    created_at: AwareDatetime


class NewWebhookSecret(WebhookSecretView):
    """A webhook secret."""

    secret: str = Field(description="`whsec_` and a key in base64. It is shown this once.")


class WebhookSecretList(_View):
    """A tenant's webhook secrets, the newest first."""

    items: list[WebhookSecretView]


class ModelView(_View):
    """A model that workers serve, or have served."""

    id: str
    revision: str = Field(description="`sha256:` and the first hex digits of the weights' digest.")
    family: str
    grid: tuple[int, int] = Field(description="Rows and columns of patches.")
    image_size_px: tuple[int, int] = Field(description="Height and width of what the model sees.")
    max_tokens: int = Field(description="Longest caption, in content tokens.")
    embed_dim: int
    attention: bool = Field(description="Whether both towers are transformers that gradient methods can read.")
    methods: tuple[str, ...] = Field(description="Methods that the model can run.")
    precision: str
    device: str
    live: bool = Field(description="Whether a worker serves it now.")
    workers: int = Field(description="How many do.")

    @classmethod
    def of(cls, card: ModelCard, *, workers: int) -> ModelView:
        """The card of a model that so many workers serve."""
        return cls(
            id=card.id,
            revision=card.revision,
            family=card.family,
            grid=card.grid,
            image_size_px=card.image_size_px,
            max_tokens=card.max_tokens,
            embed_dim=card.embed_dim,
            attention=card.attention,
            methods=tuple(spec.name for spec in METHODS.values() if card.attention or not spec.needs_attention),
            precision=card.precision,
            device=card.device,
            live=workers > 0,
            workers=workers,
        )


class ModelList(_View):
    """All known models, sorted by id."""

    items: list[ModelView]


class MethodCostView(_View):
    """Passes of one explanation with the default parameters: 49 patches, 10 tokens, towers of 12 blocks."""

    image_passes: int = Field(description="Forward passes of the image tower.")
    text_passes: int | None = Field(
        description="Forward passes of the text tower; null where they follow from their cost."
    )
    backward_passes: int = Field(description="Backward passes of both towers.")


class MethodView(_View):
    """A method of explanation."""

    name: str
    title: str
    paper: str = Field(description="Where it is described.")
    order: int = Field(description="Highest order of interaction that it can give: 1 (players) or 2 (pairs as well).")
    needs_attention: bool = Field(description="Whether it runs on models with `attention` alone.")
    cost: MethodCostView
    parameters: dict[str, JsonValue] = Field(description="JSON schema of `params`, with ranges and defaults.")

    @classmethod
    def of(cls, spec: MethodSpec) -> MethodView:
        """The method of ``spec``."""
        cost = spec.cost(spec.parameters(), _TYPICAL_PATCHES, _TYPICAL_TOKENS)
        return cls(
            name=spec.name,
            title=spec.title,
            paper=f"https://arxiv.org/abs/{spec.paper}",
            order=spec.order,
            needs_attention=spec.needs_attention,
            cost=MethodCostView(
                image_passes=cost.image_passes, text_passes=cost.text_passes, backward_passes=cost.backward_passes
            ),
            parameters=spec.parameters.model_json_schema(),
        )


class MethodList(_View):
    """All methods."""

    items: list[MethodView]


class MetricCostView(_View):
    """Most passes of the metric beside an explanation by `fixlip` with its defaults: 49 patches, 10 tokens."""

    image_passes: int = Field(description="Forward passes of the image tower.")
    text_passes: int = Field(description="Forward passes of the text tower, as far as they are known beforehand.")
    backward_passes: int = Field(description="Backward passes of both towers.")


class MetricScoreView(_View):
    """A score that a metric gives."""

    name: str
    title: str
    higher_is_better: bool


class MetricView(_View):
    """A metric that judges explanations by the model alone."""

    name: str
    title: str
    source: str = Field(description="Where it is described.")
    needs: str = Field(description="What it needs of an explanation; where that is not there, a score is null.")
    scores: tuple[MetricScoreView, ...]
    cost: MetricCostView

    @classmethod
    def of(cls, spec: MetricSpec) -> MetricView:
        """The metric of ``spec``."""
        units = (_TYPICAL_PATCHES, _TYPICAL_TOKENS)
        method = next(iter(METHODS.values()))
        cost = spec.cost(method.cost(method.parameters(), *units), *units)
        return cls(
            name=spec.name,
            title=spec.title,
            source=f"https://arxiv.org/abs/{spec.source}",
            needs=spec.needs,
            scores=tuple(
                MetricScoreView(name=score.name, title=score.title, higher_is_better=score.higher_is_better)
                for score in spec.scores
            ),
            cost=MetricCostView(
                image_passes=cost.image_passes, text_passes=cost.text_passes, backward_passes=cost.backward_passes
            ),
        )


class MetricList(_View):
    """All metrics."""

    items: list[MetricView]


class QuotaView(_View):
    """A quota, and how much of it is used."""

    name: str = Field(description="`requests_per_min`, `queued_jobs`, `passes_per_day` or `stored_bytes`.")
    limit: int | None = Field(description="How much there is; null: no limit.")
    used: int | None = Field(description="How much is used; null where it is not counted, as there is no limit.")
    window_s: int | None = Field(description="Seconds after which all of it is there again; null: as it is given back.")
    resets_in_s: int | None = Field(description="Seconds until then.")


class QuotaList(_View):
    """All quotas of a tenant."""

    tenant: str
    items: list[QuotaView]


class ExplanationList(_View):
    """A page of a tenant's jobs, newest first."""

    items: list[ExplanationJob]
    next_page_token: str | None = Field(
        description="For `page_token` of the next request; null on the last page. A page with filters may be short, or "
        "empty, and have it."
    )


class Health(_View):
    """The service, or what was asked of it, is well."""

    status: Literal["ok"] = "ok"
    checks: dict[str, Literal["ok"]] = Field(default_factory=dict, description="What was looked at.")
