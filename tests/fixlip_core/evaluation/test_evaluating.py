"""Every method judged by every metric, on the real demo encoder at tiny budgets."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.batching import Batcher
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import CanceledError, InvalidParameterError, UnknownMetricError
from fixlip_core.evaluation import EVALUATION_METRICS, Evaluation, Score, evaluate, evaluating, evaluation_cost
from fixlip_core.methods import METHODS, MethodCost
from tests.support.fake_encoder import FakeEncoder

SCENE = draw_scene(33, n_objects=2)
PARAMETERS: dict[str, dict[str, Any]] = {
    "fixlip": {"budget": 128},
    "exclip": {"steps": 2},
    "m2ib": {"steps": 3, "copies": 2},
    "nib": {"steps": 3},
}
ALL = tuple(EVALUATION_METRICS)


@pytest.fixture(scope="module", autouse=True)
def few_coalitions() -> Iterator[None]:
    """What 512 coalitions say, so many say too, and sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluating, "FAITHFULNESS_COALITIONS", 128)
        yield


@pytest.fixture(scope="module")
def explanations(demo: fx.DualEncoder) -> dict[str, fx.Explanation]:
    return {
        name: fx.explain(demo, SCENE.image, SCENE.caption, method=name, **PARAMETERS.get(name, {})) for name in METHODS
    }


@pytest.fixture(scope="module")
def judged(demo: fx.DualEncoder, explanations: dict[str, fx.Explanation]) -> dict[str, Evaluation]:
    return {name: judge(demo, explanation, ALL) for name, explanation in explanations.items()}


def judge(encoder: Any, explanation: fx.Explanation, metrics: Any, **options: Any) -> Evaluation:
    return evaluate(encoder, SCENE.image, SCENE.caption, explanation, metrics, **options)


def figures(evaluation: Evaluation) -> dict[tuple[str, str], Score]:
    return {(score.metric, score.name): score for score in evaluation.scores}


def assert_equal(found: Sequence[Score], expected: Sequence[Score]) -> None:
    """The same scores, of which nan is equal to nan."""
    np.testing.assert_equal([dataclasses.astuple(s) for s in found], [dataclasses.astuple(s) for s in expected])


@pytest.mark.parametrize("method", METHODS)
def test_every_figure_is_there_or_says_why_not(judged: dict[str, Evaluation], method: str) -> None:
    expected = [(name, score.name) for name, spec in EVALUATION_METRICS.items() for score in spec.scores]
    assert [(score.metric, score.name) for score in judged[method].scores] == expected
    missing = {key for key, score in figures(judged[method]).items() if np.isnan(score.value)}
    assert all(np.isfinite(score.value) or score.note for score in judged[method].scores)
    without = set() if method == "fixlip" else {("faithfulness", "r2")}
    assert missing == without | ({("aid", "second_order")} if METHODS[method].order == 1 else set())
    for score in judged[method].scores:
        if score.metric == "faithfulness" and np.isfinite(score.value):
            assert score.interval is not None
            assert score.interval.low <= score.value <= score.interval.high


def test_fixlip_is_the_most_faithful(judged: dict[str, Evaluation]) -> None:
    best = figures(judged["fixlip"])
    assert best["faithfulness", "r2"].value > 0.8
    for name, evaluation in judged.items():
        if name != "fixlip":
            for figure in ("pearson", "spearman"):
                other, ours = figures(evaluation)["faithfulness", figure], best["faithfulness", figure]
                assert other.interval is not None
                assert ours.interval is not None
                assert other.interval.high < ours.interval.low, (name, figure)
    assert best["aid", "second_order"].value > 0.3
    assert best["sanity", "rank_correlation"].value < 0.5


@pytest.mark.parametrize("method", ["fixlip", "exclip", "game"])
@pytest.mark.parametrize("metric", ALL)
def test_passes_are_counted_and_bounded(
    demo: fx.DualEncoder,
    explanations: dict[str, fx.Explanation],
    judged: dict[str, Evaluation],
    method: str,
    metric: str,
) -> None:
    explanation = explanations[method]
    calls = _Counted(demo)
    found = judge(calls, explanation, [metric]) if metric != "sanity" else judge(demo, explanation, [metric])
    most = evaluation_cost(
        [metric], MethodCost(explanation.image_passes, explanation.text_passes), explanation.n_image, explanation.n_text
    )
    assert 0 < found.image_passes <= most.image_passes
    assert 0 < found.text_passes <= most.text_passes
    if metric == "sanity":
        assert (found.image_passes, found.text_passes) == (most.image_passes, most.text_passes)
    else:
        assert (found.image_passes, found.text_passes) == (calls.images, calls.texts)
    assert_equal(found.scores, [score for score in judged[method].scores if score.metric == metric])


class _Counted:
    """The encoder, with its rows counted."""

    def __init__(self, encoder: fx.DualEncoder) -> None:
        self.encoder, self.images, self.texts = encoder, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.encoder, name)

    def encode_images(self, image: Any, coalitions: Any, **options: Any) -> Any:
        self.images += len(coalitions)
        return self.encoder.encode_images(image, coalitions, **options)

    def encode_texts(self, caption: str, coalitions: Any, **options: Any) -> Any:
        self.texts += len(coalitions)
        return self.encoder.encode_texts(caption, coalitions, **options)


def test_progress_is_over_all_metrics_and_may_stop_them(
    demo: fx.DualEncoder, explanations: dict[str, fx.Explanation]
) -> None:
    told: list[tuple[int, int]] = []
    names = ["faithfulness", "confidence", "sanity"]
    found = judge(demo, explanations["fixlip"], names, progress=lambda *passes: told.append(passes))
    completed, totals = zip(*told, strict=True)
    assert list(completed) == sorted(completed)
    assert completed[-1] == totals[0] == totals[-1]
    assert totals[0] >= found.image_passes + found.text_passes
    assert len(told) > 8

    def stop(completed: int, total: int) -> None:
        if completed > total / 2:
            raise CanceledError("enough")

    with pytest.raises(CanceledError):
        judge(demo, explanations["fixlip"], names, progress=stop)


def test_the_seed_settles_the_figures(demo: fx.DualEncoder, explanations: dict[str, fx.Explanation]) -> None:
    first, again, other = (judge(demo, explanations["game"], ["sanity", "faithfulness"], seed=s) for s in (1, 1, 2))
    assert_equal(first.scores, again.scores)
    assert figures(first)["faithfulness", "pearson"] != figures(other)["faithfulness", "pearson"]
    assert figures(first)["sanity", "rank_correlation"] != figures(other)["sanity", "rank_correlation"]
    assert [score.metric for score in first.scores] == ["sanity", *["faithfulness"] * 3]


def test_a_face_of_a_batcher_gives_the_same(
    demo: fx.DualEncoder, explanations: dict[str, fx.Explanation], judged: dict[str, Evaluation]
) -> None:
    with Batcher() as batcher:
        found = judge(batcher.encoder_for(demo, client=0), explanations["grad_eclip"], ALL)
    assert_equal(found.scores, judged["grad_eclip"].scores)


def test_curves_come_with_their_area(judged: dict[str, Evaluation], demo: fx.DualEncoder) -> None:
    curves = judged["fixlip"].curves
    assert curves is not None
    assert curves.first_order.area == figures(judged["fixlip"])["aid", "first_order"].value
    e = fx.explain(demo, SCENE.image, SCENE.caption, method="game")
    assert judge(demo, e, ["confidence"]).curves is None
    assert judge(demo, e, []).scores == ()


def test_curves_that_are_turned_over_have_no_area(demo: fx.DualEncoder) -> None:
    """Else a mean over pairs would have areas of either sign in it."""
    image = draw_scene(5, n_objects=1).image
    e = fx.explain(demo, image, "a large pink star", method="game")
    assert e.full_value < e.empty_value
    found = evaluate(demo, image, "a large pink star", e, ["aid"])
    first, second = found.scores
    assert found.curves is not None
    assert np.isfinite(found.curves.first_order.area)
    assert np.isnan([first.value, second.value]).all()
    assert f"turns the curves over: their area, {found.curves.first_order.area:.4g}" in str(first.note)
    assert "none of pairs" in str(second.note)


def test_what_cannot_be_checked_says_so() -> None:
    encoder: Any = FakeEncoder()
    e = fx.explain(encoder, SCENE.image, "circle", budget=16, regions=[[0, 1]])
    found = figures(evaluate(encoder, SCENE.image, "circle", e, ["sanity", "confidence"]))
    assert "cannot be drawn anew" in str(found["sanity", "rank_correlation"].note)
    assert np.isnan(found["sanity", "rank_correlation"].value)
    assert "single text player" in str(found["confidence", "text_drop"].note)
    assert np.isfinite(found["confidence", "image_drop"].value)


def test_unknown_metrics_and_other_pairs_are_refused(
    demo: fx.DualEncoder, explanations: dict[str, fx.Explanation]
) -> None:
    with pytest.raises(UnknownMetricError):
        judge(demo, explanations["fixlip"], ["truth"])
    with pytest.raises(InvalidParameterError, match="other players"):
        evaluate(demo, SCENE.image, "another caption", explanations["fixlip"], ["confidence"])
