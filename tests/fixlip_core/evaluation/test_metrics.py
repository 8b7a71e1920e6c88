"""The catalogue of metrics: what it says, and what it refuses."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from fixlip_core.errors import InvalidParameterError, UnknownMetricError
from fixlip_core.evaluation import EVALUATION_METRICS, EvaluationCost, check_metrics, evaluation_cost
from fixlip_core.evaluation.evaluating import _RUNS
from fixlip_core.methods import MethodCost


def test_every_metric_can_be_run_and_says_what_it_is() -> None:
    assert _RUNS.keys() == EVALUATION_METRICS.keys()
    for name, spec in EVALUATION_METRICS.items():
        assert spec.name == name
        assert re.fullmatch(r"\d{4}\.\d{5}", spec.source)
        assert spec.title
        assert spec.needs
        assert len({score.name for score in spec.scores}) == len(spec.scores) > 0


def test_unknown_and_doubled_names_are_refused() -> None:
    assert [spec.name for spec in check_metrics(["aid", "faithfulness"])] == ["aid", "faithfulness"]
    with pytest.raises(UnknownMetricError, match="known metrics: faithfulness, aid, confidence, sanity") as unknown:
        check_metrics(["aid", "accuracy"])
    assert (unknown.value.field, unknown.value.code) == ("evaluate.1", "unknown_metric")
    with pytest.raises(InvalidParameterError, match="twice") as doubled:
        check_metrics(["aid", "sanity", "aid"])
    assert doubled.value.field == "evaluate.2"


def test_cost_is_the_sum_of_the_metrics() -> None:
    explained = MethodCost(image_passes=100, text_passes=None, backward_passes=7)
    parts = [spec.cost(explained, 49, 9) for spec in EVALUATION_METRICS.values()]
    assert evaluation_cost(list(EVALUATION_METRICS), explained, 49, 9) == sum(parts, start=EvaluationCost(0, 0))
    assert evaluation_cost([], explained, 49, 9) == EvaluationCost(0, 0)
    sanity = evaluation_cost(["sanity"], explained, 49, 9)
    assert sanity == EvaluationCost(100, 0, 7)
    assert sanity.passes == 107
    assert evaluation_cost(["sanity"], MethodCost(4, 4), 49, 9) == EvaluationCost(4, 4)
    with pytest.raises(UnknownMetricError):
        evaluation_cost(["speed"], explained, 49, 9)


def test_few_players_cost_little() -> None:
    cost = evaluation_cost(["faithfulness", "aid"], MethodCost(8, 8), 2, 1)
    assert (cost.image_passes, cost.text_passes) == (8, 4)


def test_the_catalogue_is_light() -> None:
    """The API asks for it."""
    program = "import sys, fixlip_core.evaluation; print({'torch', 'matplotlib', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
