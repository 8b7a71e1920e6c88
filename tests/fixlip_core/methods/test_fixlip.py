"""The method end to end: exact on a small model, honest about passes, seeded, stoppable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import CanceledError, InvalidParameterError, UnknownMethodError
from fixlip_core.estimators.exact import exact_additive
from fixlip_core.evaluation import p_faithfulness
from fixlip_core.methods.fixlip import plan_passes
from tests.fixlip_core.encoders.test_clip import build

PS = (0.3, 0.5, 0.7)
CAPTION = "a red circle and"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> fx.DualEncoder:
    """A random CLIP of 2 x 2 patches: with four words, a game of 8 players."""
    return fx.load_encoder(str(build(tmp_path_factory.mktemp("tiny"), vision={"image_size": 16})))


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
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
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


def test_plan_enumerates_text_while_it_costs_no_more_than_the_image() -> None:
    cheap = plan_passes(64, 9, budget=512, text_cost=0.007)
    assert cheap.text_enumerated
    assert cheap.text_passes == 512
    dear = plan_passes(64, 16, budget=512, text_cost=0.007)
    assert not dear.text_enumerated
    assert dear.text_passes * 18 * 0.007 <= 512
    tiny = plan_passes(4, 30, budget=512, text_cost=0.007)
    assert tiny.image_enumerated
    assert tiny.image_passes == 16
    assert tiny.total == 16 + tiny.text_passes + 4


def test_provenance_names_all_that_the_values_depend_on(demo: fx.DualEncoder, tmp_path: Path) -> None:
    e = fx.explain(demo, draw_scene(7).image, "a red circle", budget=16, seed=3)
    provenance = e.provenance
    assert provenance["seed"] == 3
    assert provenance["budget"] == 16
    assert provenance["model_revision"] == demo.card.revision
    assert {"precision", "device", "view_sha256", "caption", "estimator", "version_torch"} <= provenance.keys()
    e.save(tmp_path / "e.npz")
    assert dict(fx.Explanation.load(tmp_path / "e.npz").provenance) == dict(provenance)
