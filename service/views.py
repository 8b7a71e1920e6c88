"""Bodies of the API's responses that are more than a record."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from fixlip_core.encoders.card import ModelCard
from service.jobs.records import Job

__all__ = ["ExplanationJob", "ExplanationUrls", "Health", "ModelList", "ModelView"]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class ExplanationUrls(_View):
    """Where the job and its results are; results answer 409 until the job has succeeded."""

    self: str
    result: str
    interactions_npz: str
    interactions_json: str
    maps: dict[str, str] = Field(description="Maps by name; empty until the job has succeeded.")


class ExplanationJob(Job):
    """An explanation: the job, and its outcome once there is one."""

    expires_at: AwareDatetime | None = Field(default=None, description="When the job is removed; null: never.")
    urls: ExplanationUrls

    @classmethod
    def of(cls, job: Job, *, base: str) -> ExplanationJob:
        """``job`` with links, ``base`` being the path of the collection."""
        url = f"{base}/{job.id}"
        maps = job.output.maps if job.output else ()
        urls = ExplanationUrls(
            self=url,
            result=f"{url}/result",
            interactions_npz=f"{url}/interactions.npz",
            interactions_json=f"{url}/interactions.json",
            maps={entry.name: f"{url}/maps/{entry.name}.png" for entry in maps},
        )
        return cls(**dict(job), urls=urls)


class ModelView(_View):
    """A model that workers serve, or have served."""

    id: str
    revision: str = Field(description="`sha256:` and the first hex digits of the weights' digest.")
    family: str
    grid: tuple[int, int] = Field(description="Rows and columns of patches.")
    image_size_px: tuple[int, int] = Field(description="Height and width of what the model sees.")
    max_tokens: int = Field(description="Longest caption, in content tokens.")
    embed_dim: int
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
            precision=card.precision,
            device=card.device,
            live=workers > 0,
            workers=workers,
        )


class ModelList(_View):
    """All known models, sorted by id."""

    items: list[ModelView]


class Health(_View):
    """The service, or what was asked of it, is well."""

    status: Literal["ok"] = "ok"
    checks: dict[str, Literal["ok"]] = Field(default_factory=dict, description="What was looked at.")
