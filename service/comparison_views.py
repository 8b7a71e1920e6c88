"""Comparisons as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from fixlip_core.comparison import Agreement, Comparison, Part
from fixlip_core.frames import Frame
from fixlip_core.types import FloatArray
from service.jobs.records import Job, JobInput, JobModel, MaybeFloat

__all__ = [
    "AgreementView",
    "CommonPlayers",
    "ComparedExplanation",
    "ComparisonUrls",
    "ExplanationComparisonView",
    "FrameView",
    "GreatestValues",
]

_PARTS: Final[tuple[Part, ...]] = ("image", "text", "pairs")


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class GreatestValues(_View):
    """Greatest absolute values, by which the difference maps divide."""

    image: float
    text: float
    pairs: float | None = Field(description="Null where the explanation has no values of pairs.")


class ComparedExplanation(_View):
    """One of the explanations, its values on the common players, in units of its own."""

    id: str
    model: JobModel
    method: str
    params: dict[str, JsonValue]
    index: str = Field(description="What the values are; see the job's `output`.")
    order: int
    image: list[float] = Field(description="Main effects of the image players, patches row-major.")
    text: list[float] = Field(description="Main effects of the text players.")
    pairs: list[list[float]] | None = Field(
        description="For each image player, its interactions with the text players; null without `include=pairs`, and "
        "where the explanation has none."
    )
    greatest: GreatestValues
    common: list[tuple[int, ...]] = Field(
        description="For each of its own players, image players first, the common players that have most of its value, "
        "numbered likewise: several where it is shared out, none where not all models saw it."
    )


class FrameView(_View):
    """Edges in pixels of the submitted picture, from its top left corner; beyond it where models add a margin."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, frame: Frame) -> FrameView:
        """The frame."""
        return cls(left=frame.left, top=frame.top, right=frame.right, bottom=frame.bottom)


class CommonPlayers(_View):
    """The players that the explanations share, or were brought to."""

    grid: tuple[int, int] = Field(description="Rows and columns of patches.")
    regions: tuple[int, ...] = Field(
        description="The image player of every patch, where all explanations have these regions; else empty."
    )
    region_labels: tuple[str, ...]
    tokens: tuple[str, ...] = Field(description="Tokens where they are the same for all, else the caption's words.")
    frame: FrameView | None = Field(description="The part of the picture that the grid lies over; null if unknown.")


class AgreementView(_View):
    """How far two explanations agree; a measure that they have no values for is null, and `note` says why."""

    explanations: tuple[str, str]
    part: Part = Field(description="Values of image players, of text players, or of their cross-modal pairs.")
    n: int = Field(description="Number of players, or pairs.")
    spearman: MaybeFloat = Field(description="Rank correlation.")
    kendall: MaybeFloat = Field(description="Kendall's tau-b.")
    cosine: MaybeFloat = Field(description="Cosine similarity of the values.")
    top_k: int = Field(description="How many count as the strongest: a tenth, at least one.")
    top_overlap: MaybeFloat = Field(description="Jaccard index of the strongest by absolute value.")
    note: str | None

    @classmethod
    def of(cls, agreement: Agreement, jobs: Sequence[Job]) -> AgreementView:
        """The agreement of two of ``jobs``."""
        first, second = agreement.explanations
        return cls(
            explanations=(jobs[first].id, jobs[second].id),
            part=agreement.part,
            n=agreement.n,
            spearman=agreement.spearman,
            kendall=agreement.kendall,
            cosine=agreement.cosine,
            top_k=agreement.top_k,
            top_overlap=agreement.top_overlap,
            note=agreement.note,
        )


class ComparisonUrls(_View):
    """The figure: explanations side by side, and the others' differences from the first."""

    figure_png: str
    figure_svg: str


class ExplanationComparisonView(_View):
    """Explanations of one pair, on common players, and how far they agree."""

    input: JobInput
    explanations: list[ComparedExplanation]
    players: CommonPlayers
    agreements: list[AgreementView] = Field(description="Of every two explanations: image, text and pairs.")
    notes: list[str] = Field(description="What was done to the values; explanations are counted from 1.")
    urls: ComparisonUrls

    @classmethod
    def of(
        cls, comparison: Comparison, jobs: Sequence[Job], *, with_pairs: bool, base: str
    ) -> ExplanationComparisonView:
        """The comparison of the explanations of ``jobs``.

        Args:
            comparison: of them, in the same order.
            jobs: all have succeeded.
            with_pairs: whether the values of pairs are wanted.
            base: path of the collection of comparisons.
        """
        query = f"?explanations={','.join(job.id for job in jobs)}"
        players, frame = comparison.players, comparison.frame
        return cls(
            input=jobs[0].input,
            explanations=[_compared(comparison, job, k, with_pairs=with_pairs) for k, job in enumerate(jobs)],
            players=CommonPlayers(
                grid=players.grid,
                regions=players.regions,
                region_labels=players.region_labels,
                tokens=players.tokens,
                frame=FrameView.of(frame) if frame else None,
            ),
            agreements=[AgreementView.of(agreement, jobs) for agreement in comparison.agreements],
            notes=list(comparison.notes),
            urls=ComparisonUrls(figure_png=f"{base}/figure.png{query}", figure_svg=f"{base}/figure.svg{query}"),
        )


def _compared(comparison: Comparison, job: Job, index: int, *, with_pairs: bool) -> ComparedExplanation:
    output, pairs = job.output, comparison.pairs[index]
    if output is None:
        raise ValueError(f"explanation {job.id!r} has no outcome")
    image, text, greatest_pair = (comparison.greatest(part, index) for part in _PARTS)
    return ComparedExplanation(
        id=job.id,
        model=job.model,
        method=job.method,
        params=job.params,
        index=output.index,
        order=output.order,
        image=_plain(comparison.image[index]),
        text=_plain(comparison.text[index]),
        pairs=pairs.tolist() if with_pairs and pairs is not None else None,
        greatest=GreatestValues(image=image, text=text, pairs=None if pairs is None else greatest_pair),
        common=list(comparison.common[index]),
    )


def _plain(values: FloatArray) -> list[float]:
    plain: list[float] = values.tolist()
    return plain
