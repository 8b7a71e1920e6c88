"""What an evaluation found beyond its scores: the document ``evaluation.json``."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from service.jobs.records import JobScore, MaybeFloat, Record

__all__ = ["EVALUATION", "EvaluationCurves", "EvaluationSubsets", "InsertionDeletionCurves", "JobEvaluation"]

EVALUATION: Final = "evaluation.json"
"""The document's name among a job's files."""


class EvaluationCurves(Record):
    """Two curves, at the shares `removed`, and the area between them."""

    most_first: tuple[MaybeFloat, ...] = Field(
        description="(v - v(empty)) / (v(full) - v(empty)) while the most important players go first; null where "
        "v(full) is v(empty)."
    )
    least_first: tuple[MaybeFloat, ...] = Field(description="The same while the least important go first.")
    area: MaybeFloat = Field(description="The second less the first, by the trapezoidal rule.")


class EvaluationSubsets(Record):
    """For every size from 0 to all players, the coalitions of greatest and of least predicted value."""

    greatest: tuple[tuple[int, ...], ...] = Field(description="Players, ascending: patches or regions, then tokens.")
    least: tuple[tuple[int, ...], ...] = Field(description="Likewise.")
    greatest_values: tuple[float, ...] = Field(description="Sums of their values and of those of their pairs.")
    least_values: tuple[float, ...] = Field(description="Likewise.")


class InsertionDeletionCurves(Record):
    """The curves behind the scores of `aid`."""

    removed: tuple[float, ...] = Field(description="Shares of the players that are removed, from 0 to 1.")
    first_order: EvaluationCurves = Field(description="By the ranking of the players.")
    second_order: EvaluationCurves | None = Field(
        description="By the subsets, which need not be nested; null without values of pairs."
    )
    subsets: EvaluationSubsets | None = Field(description="Those subsets, likewise.")
    empty_value: float = Field(description="Score with every player removed.")
    full_value: float = Field(description="Score with every player present.")
    flipped: bool = Field(
        description="Whether v(full) <= v(empty): then the areas must not be averaged with those of other pairs."
    )


class JobEvaluation(Record):
    """What the metrics of `evaluate` found: the document `evaluation.json`."""

    evaluate: tuple[str, ...] = Field(description="The metrics.")
    seed: int = Field(description="Of what the metrics draw: same seed, same scores.")
    scores: tuple[JobScore, ...]
    image_passes: int = Field(description="Forward passes of the image tower that the metrics took.")
    text_passes: int = Field(description="Forward passes of the text tower.")
    insertion_deletion: InsertionDeletionCurves | None = Field(description="Null unless `aid` was asked for.")
