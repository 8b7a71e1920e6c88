"""The document ``evaluation.json`` as the library has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from fixlip.errors import CommandError
from fixlip_core.evaluation import Curves, Evaluation, InsertionDeletion, Interval, Score
from fixlip_core.types import FloatArray
from service.jobs.evaluations import EvaluationCurves, InsertionDeletionCurves, JobEvaluation
from service.jobs.records import JobScore

__all__ = ["read_evaluation"]


def read_evaluation(path: Path) -> Evaluation:
    """Scores and curves of a file, without the subsets behind them.

    Raises:
        CommandError: it is no such document, or cannot be read.
    """
    try:
        document = JobEvaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise CommandError(f"{path} is no evaluation.json: {where}: {first['msg']}") from error
    found = document.insertion_deletion
    return Evaluation(
        scores=tuple(map(_score, document.scores)),
        image_passes=document.image_passes,
        text_passes=document.text_passes,
        curves=None if found is None else _insertion_deletion(found),
    )


def _score(score: JobScore) -> Score:
    has_interval = score.ci_low is not None and score.ci_high is not None
    return Score(
        metric=score.metric,
        name=score.name,
        value=_number(score.value),
        interval=Interval(_number(score.ci_low), _number(score.ci_high)) if has_interval else None,
        higher_is_better=score.higher_is_better,
        note=score.note,
    )


def _insertion_deletion(found: InsertionDeletionCurves) -> InsertionDeletion:
    return InsertionDeletion(
        removed=np.array(found.removed),
        first_order=_curves(found.first_order),
        second_order=None if found.second_order is None else _curves(found.second_order),
        subsets=None,
        empty_value=found.empty_value,
        full_value=found.full_value,
        flipped=found.flipped,
    )


def _curves(found: EvaluationCurves) -> Curves:
    return Curves(_heights(found.most_first), _heights(found.least_first), _number(found.area))


def _heights(values: Sequence[float | None]) -> FloatArray:
    return np.array([_number(value) for value in values])


def _number(value: float | None) -> float:
    return math.nan if value is None else value
