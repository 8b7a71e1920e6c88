"""The method end to end: exact on a small model, honest about passes, seeded, stoppable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import CanceledError, InvalidParameterError, UnknownMethodError
from fixlip_core.estimators.exact import exact_additive
from fixlip_core.evaluation import p_faithfulness
from fixlip_core.methods.passes import TowerPlan, plan_passes
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.small_models import small_clip, write_model

PS = (0.3, 0.5, 0.7)
CAPTION = "a red circle and"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> fx.DualEncoder:
    """A random CLIP of 2 x 2 patches: with four words, a game of 8 players."""
    return fx.load_encoder(
        str(write_model(tmp_path_factory.mktemp("tiny") / "m", small_clip(vision={"image_size": 16})))
    )


@pytest.mark.parametrize("score", ["logit", "cosine"])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("estimator", ["gp", "least_squares"])
@pytest.mark.parametrize("p", PS)
def test_small_games_are_explained_exactly(
    tiny: fx.DualEncoder, p: float, estimator: str, order: int, score: str
) -> None:
    image = draw_scene(1).image
    e = fx.explain(tiny, image, CAPTION, p=p, order=order, budget=16, estimator=estimator, score=score)
    game = fx.SimilarityGame.of(tiny, image, CAPTION, score=score)
    exact = exact_additive(game.value, 8, p, order=order)
    np.testing.assert_allclose(e.first, exact.first, atol=1e-5)
    np.testing.assert_allclose(e.second, exact.second, atol=1e-5)
    assert e.baseline == pytest.approx(exact.baseline, abs=1e-5)
    assert (e.image_passes, e.text_passes) == (16 + 2, 16 + 2)
    ends = np.stack([np.zeros(8, bool), np.ones(8, bool)])
    assert (e.empty_value, e.full_value) == pytest.approx(tuple(game.value(ends)))
    assert e.index == ("WFBII" if order == 2 else "WBV")


def test_own_estimate_is_near_the_measured_faithfulness(demo: fx.DualEncoder) -> None:
    scene = draw_scene(2, n_objects=2)
    e = fx.explain(demo, scene.image, scene.caption, budget=256, seed=5)
    measured = p_faithfulness(demo, scene.image, scene.caption, e, n_coalitions=1_000, seed=6)
    assert measured.r2 > 0.8
    assert e.estimated_r2 == pytest.approx(measured.r2, abs=0.05)
    assert np.isfinite(e.first_std_error).all()
    assert (e.second_std_error[:64, 64:] > 0).all()


def test_same_seed_same_bits_other_seed_other_values(demo: fx.DualEncoder) -> None:
    scene = draw_scene(3, n_objects=1)
    one, two, three = (fx.explain(demo, scene.image, scene.caption, budget=32, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.second, two.second)
    np.testing.assert_array_equal(one.second_std_error, two.second_std_error)
    assert not np.array_equal(one.second, three.second)


def test_words_see_their_own_objects(demo: fx.DualEncoder) -> None:
    """What the explanation is for: over many scenes, a shape's word interacts with the patches of its object."""
    inside, outside = [], []
    for seed in range(6):
        scene = draw_scene(seed, n_objects=2)
        e = fx.explain(demo, scene.image, scene.caption, budget=128, seed=seed)
        for k, thing in enumerate(scene.objects):
            if thing.shape in e.tokens and [o.shape for o in scene.objects].count(thing.shape) == 1:
                heat, where = e.conditional(e.tokens.index(thing.shape)), scene.patches_of(k, e.grid)
                inside.append(heat[where].mean())
                outside.append(heat[~where].mean())
    assert np.mean(inside) > np.mean(outside) + 0.1


def test_progress_counts_every_pass_and_can_stop(demo: fx.DualEncoder) -> None:
    scene = draw_scene(4, n_objects=1)
    seen: list[tuple[int, int]] = []
    e = fx.explain(
        demo, scene.image, scene.caption, budget=200, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (e.image_passes + e.text_passes,) * 2
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len({done for done, _ in seen}) > 5
    assert len({total for _, total in seen}) == 1

    def stop(done: int, total: int) -> None:
        if done > 50:
            raise CanceledError("enough")

    with pytest.raises(CanceledError):
        fx.explain(demo, scene.image, scene.caption, budget=200, progress=stop)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"p": 0.0}, "p"),
        ({"p": 1.0}, "p"),
        ({"p": float("nan")}, "p"),
        ({"budget": 7}, "budget"),
        ({"budget": 10**9}, "budget"),
        ({"order": 3}, "order"),
        ({"estimator": "guess"}, "estimator"),
        ({"score": "loss"}, "score"),
        ({"seed": -1}, "seed"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_parameters_out_of_range_are_named(demo: fx.DualEncoder, parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        fx.explain(demo, draw_scene(1).image, "a circle", **parameters)
    assert caught.value.field == field


def test_unknown_method_lists_the_known(demo: fx.DualEncoder) -> None:
    with pytest.raises(UnknownMethodError, match="fixlip"):
        fx.explain(demo, draw_scene(1).image, "a circle", method="voodoo")


@pytest.mark.parametrize("caption", ["a", "red " * 38])
def test_shortest_and_longest_captions(demo: fx.DualEncoder, caption: str) -> None:
    e = fx.explain(demo, draw_scene(5).image, caption, budget=64)
    assert np.isfinite(e.second).all()
    assert np.isfinite(e.predict(np.ones((1, e.n_players), bool))).all()


@pytest.mark.parametrize("budget", [8, 9])
def test_least_budget_is_survived(demo: fx.DualEncoder, budget: int) -> None:
    e = fx.explain(demo, draw_scene(6).image, "a red circle", budget=budget, p=0.7)
    assert np.isfinite(e.second).all()


def plan(n_patches: int, caption: str, *, budget: int = 512, **encoder: Any) -> Any:
    card = replace(CARD, grid=(n_patches, 1), image_size_px=(64, 64))
    game = fx.SimilarityGame.of(FakeEncoder(card=card, **encoder), draw_scene(1).image, caption)
    return plan_passes(game, budget=budget)


def test_text_is_enumerated_while_it_costs_less_than_a_fifth_of_the_image() -> None:
    caption = " ".join("word" for _ in range(11))
    # 2^11 coalitions of 13 positions each, or of 2 where prefixes are shared; a fifth of 512 is 102 image passes.
    assert not plan(64, caption, text_cost=0.0039).text.enumerated
    assert plan(64, caption, text_cost=0.0038).text == TowerPlan(2**11, enumerated=True)
    assert plan(64, caption, text_cost=0.0249, shares_prefixes=True).text.enumerated
    drawn = plan(64, caption, text_cost=0.0251, shares_prefixes=True).text
    assert drawn == TowerPlan(1_024, enumerated=False)
    assert plan(64, caption, text_cost=0.004).text.passes == int(102.4 / (13 * 0.004))
    assert plan(64, caption, text_cost=100.0, budget=64).text == TowerPlan(256, enumerated=False)
    assert plan(64, "one two", text_cost=100.0).text == TowerPlan(4, enumerated=True)
    assert plan(4, caption).image == TowerPlan(16, enumerated=True)


def test_words_cost_the_tokens_they_are_made_of(demo: Any) -> None:
    game = fx.SimilarityGame.of(demo, draw_scene(1).image, "cyan cyan cyan", text_players="word")
    assert len(game.token_owners) == 6
    assert plan_passes(game, budget=64).text == TowerPlan(8, enumerated=True)


@pytest.mark.parametrize("order", [1, 2])
def test_shapley_of_a_small_game_is_that_of_shapiq(tiny: fx.DualEncoder, order: int) -> None:
    shapiq = pytest.importorskip("shapiq")
    image = draw_scene(1).image
    e = fx.explain(tiny, image, CAPTION, index="shapley", order=order, budget=16)
    game = fx.SimilarityGame.of(tiny, image, CAPTION)
    exact = shapiq.ExactComputer(lambda x: game.value(x.astype(bool)), n_players=8)(
        "FSII" if order == 2 else "SV", order
    )
    np.testing.assert_allclose(e.first, [exact[(i,)] for i in range(8)], atol=1e-5)
    for i, j in zip(*np.triu_indices(8, 1), strict=True):
        assert e.second[i, j] == pytest.approx(exact[(i, j)] if order == 2 else 0, abs=1e-5)
    assert e.baseline == e.empty_value
    assert e.predict(np.ones((1, 8), bool))[0] == pytest.approx(e.full_value, abs=1e-9)
    assert (e.index, np.isnan(e.p)) == ("FSII" if order == 2 else "SV", True)


@pytest.mark.parametrize("index", ["banzhaf", "shapley"])
def test_joint_coalitions_are_all_there_are_or_drawn(tiny: fx.DualEncoder, index: str) -> None:
    image = draw_scene(1).image
    every = fx.explain(tiny, image, CAPTION, index=index, estimator="joint", budget=256)
    drawn = fx.explain(tiny, image, CAPTION, index=index, estimator="joint", budget=250)
    towers = fx.explain(tiny, image, CAPTION, index=index, budget=16)
    assert (every.provenance["joint_design"], drawn.provenance["joint_design"]) == ("enumerated", "drawn")
    np.testing.assert_allclose(every.second, towers.second, atol=1e-5)
    np.testing.assert_allclose(every.first, towers.first, atol=1e-5)
    assert np.corrcoef(drawn.second[np.triu_indices(8, 1)], towers.second[np.triu_indices(8, 1)])[0, 1] > 0.8
    assert drawn.image_passes <= 16 + 2
    assert np.isnan(every.second_std_error).all()


def test_published_estimator_draws_both_towers(tiny: fx.DualEncoder) -> None:
    e = fx.explain(tiny, draw_scene(1).image, CAPTION, estimator="wls", budget=100, text_passes=90)
    assert (e.provenance["image_design"], e.provenance["text_design"]) == ("drawn", "drawn")
    assert (e.provenance["image_coalitions"], e.provenance["text_coalitions"]) == (100, 90)
    assert max(e.image_passes, e.text_passes) <= 16 + 2
    exact = fx.explain(tiny, draw_scene(1).image, CAPTION, budget=16)
    assert np.corrcoef(e.second[np.triu_indices(8, 1)], exact.second[np.triu_indices(8, 1)])[0, 1] > 0.95


def test_auto_budget_stops_when_it_is_content(demo: fx.DualEncoder) -> None:
    scene = draw_scene(2, n_objects=2)
    seen: list[tuple[int, int]] = []
    content = fx.explain(
        demo,
        scene.image,
        scene.caption,
        budget="auto",
        target_r2=0.8,
        max_passes=1_024,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert content.provenance["stop_reason"] == "target_reached"
    assert content.estimated_r2 >= 0.8
    assert content.image_passes < 1_024
    assert seen[-1][0] == seen[-1][1] >= content.image_passes + content.text_passes
    spent = fx.explain(demo, scene.image, scene.caption, budget="auto", target_r2=0.999, max_passes=200)
    assert spent.provenance["stop_reason"] == "max_passes_reached"
    assert (spent.provenance["rounds"], spent.image_passes) == (2, 202)
    whole = fx.explain(demo, scene.image, scene.caption, budget=200, text_passes=spent.provenance["text_coalitions"])
    np.testing.assert_allclose(spent.second, whole.second, atol=1e-5)


def test_auto_budget_stops_when_more_passes_gain_nothing() -> None:
    """A game that is all pairs between towers is known after the first round."""
    e = fx.explain(FakeEncoder(row_s=0.0), draw_scene(1).image, "two words", budget="auto", target_r2=0.9999)
    assert e.provenance["stop_reason"] in ("stalled", "target_reached")
    assert e.image_passes < 4_096


def test_auto_budget_of_a_small_game_is_exact(tiny: fx.DualEncoder) -> None:
    e = fx.explain(tiny, draw_scene(1).image, CAPTION, budget="auto", target_r2=0.99999)
    assert e.provenance["stop_reason"] == "exact"
    assert (e.image_passes, e.text_passes) == (18, 18)


def test_regions_and_words_explain_themselves(demo: fx.DualEncoder) -> None:
    scene = draw_scene(2, n_objects=2)
    boxes = [[float(side) for side in thing.box] for thing in scene.objects]
    e = fx.explain(demo, scene.image, scene.caption, boxes=boxes, text_players="word", budget=64)
    assert e.n_image == 3
    assert e.image_passes == 8 + 2
    for k, thing in enumerate(scene.objects):
        if e.tokens.count(thing.colour) == 1:
            word = e.tokens.index(thing.colour)
            assert e.cross[k, word] > e.cross[1 - k, word]
    game = fx.SimilarityGame.of(demo, scene.image, scene.caption, boxes=boxes, text_players="word")
    assert e.full_value == pytest.approx(float(game.value(np.ones((1, e.n_players), bool))[0]), abs=1e-5)


@pytest.mark.parametrize(
    ("parameters", "field", "reason"),
    [
        ({"index": "shapley", "estimator": "wls"}, "estimator", "goes with estimator"),
        ({"index": "shapley", "p": 0.3}, "p", "p belongs to"),
        ({"budget": "auto", "estimator": "least_squares"}, "estimator", "goes with estimator"),
        ({"estimator": "joint", "text_passes": 99}, "text_passes", "leave them out"),
        ({"regions": [[0, 1]], "boxes": [[0, 0, 1, 1]]}, "boxes", "^boxes: give regions or boxes, not both$"),
        ({"budget": "plenty"}, "budget", "budget"),
        ({"boxes": [[0, 0, 1]]}, "boxes.0", "at least 4"),
        ({"regions": [[0] * 9] * 300}, "regions", r"^.{1,150}$"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    demo: fx.DualEncoder, parameters: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(InvalidParameterError, match=reason) as caught:
        fx.explain(demo, draw_scene(1).image, "a circle", **parameters)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"estimator": "least_squares", "budget": 512}, "budget"),
        ({"estimator": "wls", "budget": 3_000, "text_passes": 8}, "text_passes"),
        ({"estimator": "joint", "budget": 1_000}, "budget"),
        ({"estimator": "joint", "budget": 1_000, "index": "shapley"}, "budget"),
    ],
)
def test_too_few_coalitions_are_refused_before_a_pass_is_made(
    demo: fx.DualEncoder, parameters: dict[str, Any], field: str
) -> None:
    seen: list[int] = []
    with pytest.raises(InvalidParameterError, match="or estimator 'gp'") as caught:
        fx.explain(
            demo,
            draw_scene(1).image,
            "a red circle and a ring",
            progress=lambda done, _: seen.append(done),
            **parameters,
        )
    assert caught.value.field == field
    assert not seen


def test_provenance_names_all_that_the_values_depend_on(demo: fx.DualEncoder, tmp_path: Path) -> None:
    e = fx.explain(demo, draw_scene(7).image, "a red circle", budget=16, seed=3)
    provenance = e.provenance
    assert provenance["seed"] == 3
    assert provenance["budget"] == 16
    assert provenance["model_revision"] == demo.card.revision
    assert {"precision", "device", "view_sha256", "caption", "estimator", "version_torch"} <= provenance.keys()
    e.save(tmp_path / "e.npz")
    assert dict(fx.Explanation.load(tmp_path / "e.npz").provenance) == dict(provenance)
