"""The evaluation of a job: an explanation is judged by the metrics that were asked for, and the answer put in form."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from pydantic import JsonValue

from fixlip_core.batching import Batcher
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.evaluation import Curves, Evaluation, InsertionDeletion, Score, evaluate
from fixlip_core.evaluation.metrics import evaluation_cost
from fixlip_core.evaluation.subsets import ExtremeSubsets
from fixlip_core.explanation import Explanation
from fixlip_core.methods import Progress, get_method, parse_parameters
from fixlip_core.types import Coalitions, ImageArray
from service.jobs.evaluations import EvaluationCurves, EvaluationSubsets, InsertionDeletionCurves, JobEvaluation
from service.jobs.records import Job, JobScore

__all__ = ["document_of", "judge_pair", "planned_passes", "scores_of"]


def planned_passes(encoder: DualEncoder, job: Job, params: Mapping[str, JsonValue]) -> int:
    """Forward passes that the job's metrics will take at most, before there is anything to judge.

    Args:
        encoder: the job's model.
        job: the job's record.
        params: the method's parameters in full.

    Raises:
        InputError: the method, a parameter, a metric or the caption is none that there can be.
    """
    if not job.evaluate:
        return 0
    spec, players = get_method(job.method), encoder.players(job.input.caption)
    explained = spec.cost(parse_parameters(spec.parameters, dict(params)), players.n_image, players.n_text)
    cost = evaluation_cost(job.evaluate, explained, players.n_image, players.n_text)
    return cost.image_passes + cost.text_passes


def judge_pair(
    encoder: DualEncoder,
    batcher: Batcher,
    job: Job,
    view: ImageArray,
    explanation: Explanation,
    *,
    check: Callable[[], None],
    report: Progress,
) -> Evaluation:
    """Judge the job's explanation by the metrics of its ``evaluate``.

    Args:
        encoder: the job's model.
        batcher: the device that it is on, which fills its batches from all jobs.
        job: the job's record.
        view: (H, W, 3) uint8, what the model had of the image.
        explanation: what is judged.
        check: called while the job waits for the device; what it raises stops the work.
        report: called between batches with (completed, total) forward passes of the metrics; what it raises stops the
            work.

    Raises:
        FixlipError: the explanation cannot be judged.
    """
    face = batcher.encoder_for(encoder, client=job.id, check=check)
    return evaluate(
        face, view, job.input.caption, explanation, job.evaluate, seed=_seed_of(explanation), progress=report
    )


def scores_of(evaluation: Evaluation) -> tuple[JobScore, ...]:
    """The scores as a job's record has them."""
    return tuple(map(_score, evaluation.scores))


def document_of(job: Job, explanation: Explanation, evaluation: Evaluation) -> JobEvaluation:
    """The document ``evaluation.json``."""
    return JobEvaluation(
        evaluate=job.evaluate,
        seed=_seed_of(explanation),
        scores=scores_of(evaluation),
        image_passes=evaluation.image_passes,
        text_passes=evaluation.text_passes,
        insertion_deletion=_curves(evaluation.curves) if evaluation.curves is not None else None,
    )


def _seed_of(explanation: Explanation) -> int:
    """The method's; 0 where it draws nothing."""
    return int(explanation.provenance.get("seed") or 0)


def _score(score: Score) -> JobScore:
    low, high = (score.interval.low, score.interval.high) if score.interval else (None, None)
    return JobScore(
        metric=score.metric,
        name=score.name,
        value=score.value,
        ci_low=low,
        ci_high=high,
        higher_is_better=score.higher_is_better,
        note=score.note,
    )


def _curves(found: InsertionDeletion) -> InsertionDeletionCurves:
    return InsertionDeletionCurves(
        removed=tuple(found.removed.tolist()),
        first_order=_curve(found.first_order),
        second_order=_curve(found.second_order) if found.second_order is not None else None,
        subsets=_subsets(found.subsets) if found.subsets is not None else None,
        empty_value=found.empty_value,
        full_value=found.full_value,
        flipped=found.flipped,
    )


def _curve(curves: Curves) -> EvaluationCurves:
    return EvaluationCurves(
        most_first=tuple(curves.most_first.tolist()),
        least_first=tuple(curves.least_first.tolist()),
        area=curves.area,
    )


def _subsets(subsets: ExtremeSubsets) -> EvaluationSubsets:
    return EvaluationSubsets(
        greatest=_members(subsets.greatest),
        least=_members(subsets.least),
        greatest_values=tuple(subsets.greatest_values.tolist()),
        least_values=tuple(subsets.least_values.tolist()),
    )


def _members(coalitions: Coalitions) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(np.flatnonzero(row).tolist()) for row in coalitions)
