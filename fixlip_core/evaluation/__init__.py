"""Metrics that judge explanations: of one (:func:`evaluate` and what it is made of), and of many together."""

from __future__ import annotations

from fixlip_core.evaluation.confidence import Confidence, confidence
from fixlip_core.evaluation.costs import EvaluationCost
from fixlip_core.evaluation.evaluating import Evaluation, evaluate
from fixlip_core.evaluation.faithfulness import Faithfulness, compare_predictions, p_faithfulness
from fixlip_core.evaluation.insertion_deletion import Curves, InsertionDeletion, insertion_deletion
from fixlip_core.evaluation.intervals import Interval, bootstrap_interval
from fixlip_core.evaluation.metrics import (
    EVALUATION_METRICS,
    MetricSpec,
    Score,
    ScoreSpec,
    check_metrics,
    evaluation_cost,
)
from fixlip_core.evaluation.pointing import Pointing, pointing_game, quadrant_shares
from fixlip_core.evaluation.saliency import saliency_of
from fixlip_core.evaluation.sanity import SanityCheck, randomised_rank_correlation
from fixlip_core.evaluation.statistics import PairedComparison, Summary, compare_paired, summarise
from fixlip_core.evaluation.subsets import ExtremeSubsets, extreme_subsets

__all__ = [
    "EVALUATION_METRICS",
    "Confidence",
    "Curves",
    "Evaluation",
    "EvaluationCost",
    "ExtremeSubsets",
    "Faithfulness",
    "InsertionDeletion",
    "Interval",
    "MetricSpec",
    "PairedComparison",
    "Pointing",
    "SanityCheck",
    "Score",
    "ScoreSpec",
    "Summary",
    "bootstrap_interval",
    "check_metrics",
    "compare_paired",
    "compare_predictions",
    "confidence",
    "evaluate",
    "evaluation_cost",
    "extreme_subsets",
    "insertion_deletion",
    "p_faithfulness",
    "pointing_game",
    "quadrant_shares",
    "randomised_rank_correlation",
    "saliency_of",
    "summarise",
]
