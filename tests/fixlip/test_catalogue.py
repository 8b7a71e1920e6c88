from __future__ import annotations

import io

import pytest
from rich.console import Console

from fixlip.catalogue import show_jobs, show_method, show_methods, show_metrics, show_models
from fixlip.client import Job, Method, Metric, Model
from fixlip_core.evaluation.metrics import EVALUATION_METRICS
from fixlip_core.methods import METHODS
from service.views import MethodView, MetricView, ModelView
from tests.support.fake_encoder import CARD
from tests.support.scripted_service import JOB


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=160)


def rows(console: Console) -> list[list[str]]:
    """The words of every line, without the lines of tables."""
    assert isinstance(console.file, io.StringIO)
    return [line.replace("│", " ").split() for line in console.file.getvalue().splitlines()]


def view(name: str) -> Method:
    return Method.model_validate(MethodView.of(METHODS[name]).model_dump(mode="json"))


def test_models_with_what_they_run(console: Console) -> None:
    card = Model.model_validate(ModelView.of(CARD, workers=2).model_dump(mode="json"))
    other = card.model_copy(update={"id": "RN[50]", "attention": False, "methods": ("fixlip",)})
    show_models(console, [card, other])
    assert ["fake", "4", "x", "4", "14", "cpu", "fp32", "2", "all"] in rows(console)
    assert ["RN[50]", "4", "x", "4", "14", "cpu", "fp32", "2", "fixlip"] in rows(console)


def test_no_models(console: Console) -> None:
    show_models(console, [])
    assert rows(console) == [["no", "worker", "has", "announced", "a", "model", "yet"]]


def test_methods_with_their_cost(console: Console) -> None:
    show_methods(console, [view(name) for name in METHODS])
    first = [row[: row.index("FIxLIP:")] for row in rows(console) if "FIxLIP:" in row]
    assert first == [["fixlip", "2", "514", "by", "cost", "0"]]
    assert {row[0] for row in rows(console) if row} >= METHODS.keys()


def test_metrics_with_their_scores_and_cost(console: Console) -> None:
    metrics = [Metric.model_validate(MetricView.of(spec).model_dump()) for spec in EVALUATION_METRICS.values()]
    show_metrics(console, metrics)
    printed = [" ".join(row) for row in rows(console)]
    cost = metrics[0].cost
    scores = "r2 up, pearson up, spearman up"
    assert any(line.startswith(f"faithfulness {scores} {cost.image_passes} {cost.text_passes} p-") for line in printed)
    assert any("image_drop down" in line for line in printed)


def test_a_method_with_its_parameters(console: Console) -> None:
    show_method(console, view("m2ib"))
    printed = [" ".join(row) for row in rows(console)]
    assert printed[0] == f"m2ib: {METHODS['m2ib'].title}"
    assert any(line.startswith("beta 0.1 number >= 0 <= 100 ") for line in printed)
    assert any(line.startswith("block null integer >= -128 <= -2 or null ") for line in printed)


def test_choices_and_lists(console: Console) -> None:
    show_method(console, view("fixlip"))
    printed = [" ".join(row) for row in rows(console)]
    assert any(line.startswith('index "banzhaf" banzhaf or shapley ') for line in printed)
    assert any(line.startswith("budget 512 integer >= 8 <= 65536 or auto ") for line in printed)
    assert any(line.startswith("regions null array or null ") for line in printed)


def test_jobs(console: Console) -> None:
    one = Job.model_validate({**JOB, "id": "a", "input": {"image_sha256": "0" * 64, "caption": "a [b]red[/b] circle"}})
    other = one.model_copy(update={"id": "b", "status": "succeeded", "cached": True})
    show_jobs(console, iter([one, other]))
    first, second = (row for row in rows(console) if row[:1] in (["a"], ["b"]))
    assert (first[1], second[1:3]) == ("queued", ["succeeded", "(cached)"])
    assert first[-3:] == ["a", "[b]red[/b]", "circle"]
    assert one.created_at.astimezone().strftime("%H:%M:%S") in first


def test_no_jobs(console: Console) -> None:
    show_jobs(console, iter([]))
    assert rows(console) == [["there", "are", "no", "such", "jobs"]]
