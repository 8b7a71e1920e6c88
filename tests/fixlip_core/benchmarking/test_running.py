from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.benchmarking import (
    Outcome,
    Variant,
    image_passes_per_sample,
    parse_variants,
    run_benchmark,
    running,
)
from fixlip_core.benchmarking.running import sample_seed
from fixlip_core.datasets import Dataset, Sample, SceneDataset, object_regions
from fixlip_core.errors import DatasetError, InvalidParameterError
from fixlip_core.evaluation import evaluate, pointing_game


def timeless(outcomes: list[Outcome]) -> list[Outcome]:
    return [replace(outcome, seconds=0.0) for outcome in outcomes]


def figures_of(outcome: Outcome) -> dict[tuple[str, str], float | None]:
    return {(figure.metric, figure.name): figure.value for figure in outcome.figures}


@dataclass(frozen=True)
class Broken:
    """Three scenes, of which the second cannot be read and the third has too long a caption."""

    name: str = "broken"
    size: int | None = 3

    def sample(self, index: int) -> Sample:
        sample = SceneDataset().sample(index)
        if index == 1:
            raise DatasetError("1.png is no picture")
        return replace(sample, caption="word " * 200) if index == 2 else sample


@dataclass(frozen=True)
class LongWord:
    """A scene whose caption has a word of several tokens before those that name its object."""

    name: str = "long word"
    size: int | None = 1

    def sample(self, index: int) -> Sample:
        sample = SceneDataset().sample(index)
        return replace(sample, caption=f"an unsurpassable {sample.objects[0].phrase}")


class TestOutcomes:
    def test_are_of_every_sample_by_every_variant(self, outcomes: list[Outcome], variants: tuple[Variant, ...]) -> None:
        assert [(o.index, o.variant) for o in outcomes] == [(k, v.label) for k in (0, 1) for v in variants]
        assert [o.n_objects for o in outcomes] == [1, 1, 1, 2, 2, 2]
        assert not any(o.error for o in outcomes)
        assert all(o.seconds > 0 and o.image_passes > 0 and o.text_passes > 0 for o in outcomes)

    def test_hold_every_figure_or_why_there_is_none(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            assert {figure.metric for figure in outcome.figures} == {"aid", "confidence", "faithfulness", "pointing"}
            for figure in outcome.figures:
                assert figure.value is not None or figure.note
        second, first, attribution = (figures_of(outcome) for outcome in outcomes[3:])
        assert second["aid", "second_order"] is not None
        assert first["aid", "second_order"] is None
        assert first["faithfulness", "r2"] is not None
        assert attribution["faithfulness", "r2"] is None
        assert second["pointing", "uniform"] == first["pointing", "uniform"]

    def test_hold_the_curves(self, outcomes: list[Outcome]) -> None:
        curves = outcomes[0].curves
        assert curves is not None
        assert {len(curve) for curve in curves.values()} == {51}
        area = figures_of(outcomes[0])["aid", "second_order"]
        least, most = (np.array(curves[f"second_order_{end}_first"]) for end in ("least", "most"))
        assert np.trapezoid(least - most, dx=1 / 50) == pytest.approx(area)
        assert sorted(outcomes[1].curves or ()) == ["first_order_least_first", "first_order_most_first"]

    def test_are_those_of_evaluate(self, demo: fx.DualEncoder, outcomes: list[Outcome]) -> None:
        sample, seed = SceneDataset().sample(1), sample_seed(0, 1)
        explanation = fx.explain(demo, sample.image, sample.caption, budget=32, seed=seed, score="cosine")
        alone = evaluate(demo, sample.image, sample.caption, explanation, ["confidence", "faithfulness"], seed=seed)
        found = figures_of(outcomes[3])
        for score in alone.scores:
            assert found[score.metric, score.name] == score.value
        assert outcomes[3].image_passes == explanation.image_passes

    def test_do_not_depend_on_what_was_done_before(
        self, demo: fx.DualEncoder, outcomes: list[Outcome], variants: tuple[Variant, ...]
    ) -> None:
        done = [(o.index, o.variant) for o in outcomes[:4]]
        rest = list(run_benchmark(demo, SceneDataset(), variants, scenes=2, done=done))
        assert timeless(rest) == timeless(outcomes[4:])

    def test_point_by_words_where_words_play(self, demo: fx.DualEncoder) -> None:
        sample = LongWord().sample(0)
        assert len(demo.players(sample.caption).tokens) > 4
        (found,) = run_benchmark(demo, LongWord(), parse_variants(["fixlip:budget=32+text_players=word"]), scenes=1)
        explanation = fx.explain(
            demo, sample.image, sample.caption, budget=32, text_players="word", score="cosine", seed=sample_seed(0, 0)
        )
        region = next(iter(object_regions(demo, sample).values()))
        expected = pointing_game(explanation, {2: region, 3: region}).ratio
        assert figures_of(found)["pointing", "recognition"] == expected

    def test_say_why_there_is_no_judgement(self, demo: fx.DualEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise InvalidParameterError("the explanation has no value for some players or pairs", field="explanation")

        monkeypatch.setattr(running, "evaluate", refuse)
        (found,) = run_benchmark(demo, SceneDataset(), parse_variants(["game"]), scenes=1)
        assert found.error == "the explanation has no value for some players or pairs"

    def test_say_why_there_is_no_explanation(self, demo: fx.DualEncoder) -> None:
        data: Dataset = Broken()
        found = list(run_benchmark(demo, data, parse_variants(["game"]), scenes=9))
        assert [o.error != "" for o in found] == [False, True, True]
        assert found[1].error == "1.png is no picture"
        assert "tokens" in found[2].error
        assert found[2].caption.startswith("word")


def test_the_forecast_is_not_exceeded(
    demo: fx.DualEncoder, outcomes: list[Outcome], variants: tuple[Variant, ...]
) -> None:
    spent = sum(o.image_passes + o.evaluation_image_passes for o in outcomes[:3])
    most = image_passes_per_sample(variants, demo.players(outcomes[0].caption), budget=32)
    assert spent <= most <= 2 * spent
