"""The sanity check: the same question to a model of random weights."""

from __future__ import annotations

import copy
import gc
import weakref
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.batching import Batcher
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders import randomised
from fixlip_core.errors import CanceledError, UnsupportedModelError
from fixlip_core.evaluation import SanityCheck, randomised_rank_correlation
from fixlip_core.evaluation.sanity import with_random_weights
from tests.support.explanations import example
from tests.support.fake_encoder import FakeEncoder

SCENE = draw_scene(8, n_objects=2)
REGIONS = (np.arange(128)[:, None] // 32 * np.ones(128, int)).tolist()
QUESTIONS: dict[str, dict[str, Any]] = {
    "fixlip": {"budget": 32, "p": 0.7, "seed": 3},
    "fixlip of regions and words": {
        "budget": 16,
        "regions": REGIONS,
        "text_players": "word",
        "image_removal": "mean",
        "text_removal": "token",
        "score": "cosine",
    },
    "fixlip of boxes": {"budget": 16, "boxes": [[0, 0, 60, 128], [60, 0, 128, 64]]},
    "fixlip of few players": {"budget": "auto", "max_passes": 8, "regions": [[0, 1]]},
    "fixlip until it is good": {"budget": "auto", "max_passes": 32, "target_r2": 0.5},
    "shapley": {"budget": 48, "index": "shapley", "order": 1},
    "joint": {"budget": 96, "estimator": "joint", "order": 1, "regions": REGIONS},
    "wls": {"budget": 96, "estimator": "wls", "order": 1, "text_passes": 48},
    "exclip": {"steps": 2, "rule": "midpoint", "score": "logit"},
    "m2ib": {"steps": 2, "copies": 2, "seed": 4, "beta": 0.2},
    "nib": {"steps": 2},
    "grad_eclip": {"variant": "published"},
    "game": {"block": -2},
    "legrad": {"score": "logit"},
}


def ask(encoder: fx.DualEncoder, question: str) -> fx.Explanation:
    method = question if question in ("exclip", "m2ib", "nib", "grad_eclip", "game", "legrad") else "fixlip"
    return fx.explain(encoder, SCENE.image, SCENE.caption, method=method, **QUESTIONS[question])


def check(encoder: fx.DualEncoder, explanation: fx.Explanation, **options: Any) -> SanityCheck:
    return randomised_rank_correlation(encoder, SCENE.image, SCENE.caption, explanation, **options)


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_the_same_question(demo: fx.DualEncoder, question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a model whose weights stay, the answer is the same to the last bit: the ranks agree wholly."""
    monkeypatch.setattr(randomised, "_redrawn", lambda model, seed: copy.deepcopy(model))
    asked = ask(demo, question)
    found = check(demo, asked)
    assert found.rank_correlation == pytest.approx(1.0, abs=1e-9)
    assert (found.image_passes, found.text_passes) == (asked.image_passes, asked.text_passes)


@pytest.mark.parametrize("question", ["fixlip", "shapley", "exclip", "m2ib", "nib", "grad_eclip", "game", "legrad"])
def test_random_weights_are_explained_in_another_way(demo: fx.DualEncoder, question: str) -> None:
    asked = ask(demo, question)
    found = check(demo, asked, seed=1)
    assert abs(found.rank_correlation) < 0.7
    assert check(demo, asked, seed=1) == found
    assert check(demo, asked, seed=2).rank_correlation != found.rank_correlation


@pytest.mark.parametrize("question", ["fixlip", "exclip"])
def test_it_goes_through_a_batcher(demo: fx.DualEncoder, question: str) -> None:
    asked = ask(demo, question)
    with Batcher() as batcher:
        face = batcher.encoder_for(demo, client="job")
        assert check(face, asked) == check(demo, asked)
        assert set(batcher._models) == {id(demo)}
        # What needs the device for itself runs no batches of the batcher's.
        assert (batcher.statistics.batches > 0) == (question == "fixlip")


def test_others_have_the_device_meanwhile(demo: fx.DualEncoder) -> None:
    """Between two steps of a method that runs towers itself, who waits for the device gets it."""
    asked = ask(demo, "m2ib")
    with Batcher() as batcher, with_random_weights(batcher.encoder_for(demo, client="a"), alone=True) as (_, pass_on):
        other = batcher.encoder_for(demo, client="b")
        waiting = _in_thread(lambda: other.encode_texts("a cat", np.ones((1, 2), dtype=bool)))
        while not batcher._line:
            pass
        pass_on()
        waiting.join(20)
        assert not waiting.is_alive()
    assert asked.order == 1


def _in_thread(call: Any) -> Any:
    import threading

    thread = threading.Thread(target=call)
    thread.start()
    return thread


@pytest.mark.parametrize("stopped", [False, True])
def test_the_model_stays_as_it_is_and_the_copy_goes(demo: Any, stopped: bool) -> None:
    before = {name: weight.clone() for name, weight in demo.model.state_dict().items()}
    copies: list[weakref.ref[Any]] = []
    with Batcher() as batcher:
        try:
            with with_random_weights(batcher.encoder_for(demo, client=0)) as (face, _):
                other: Any = face
                copies += [weakref.ref(other.shared), weakref.ref(other.shared.model)]
                other.encode_images(SCENE.image, np.ones((1, 64), dtype=bool))
                if stopped:
                    raise CanceledError("enough")
        except CanceledError:
            assert stopped
        del other, face
        gc.collect()
        assert [copy() for copy in copies] == [None, None]
    assert all((weight == before[name]).all() for name, weight in demo.model.state_dict().items())


def test_progress_is_told_and_may_stop_it(demo: fx.DualEncoder) -> None:
    asked = ask(demo, "fixlip")
    told: list[tuple[int, int]] = []
    check(demo, asked, progress=lambda completed, total: told.append((completed, total)))
    assert told[-1] == (asked.image_passes + asked.text_passes,) * 2
    assert [completed for completed, _ in told] == sorted(completed for completed, _ in told)

    def stop(completed: int, total: int) -> None:
        raise CanceledError("enough")

    with pytest.raises(CanceledError):
        check(demo, asked, progress=stop)


def test_unknown_weights_are_refused() -> None:
    encoder: Any = FakeEncoder()
    asked = fx.explain(encoder, SCENE.image, "a red circle", budget=32)
    with pytest.raises(UnsupportedModelError, match="fake"):
        randomised_rank_correlation(encoder, SCENE.image, "a red circle", asked)


def test_values_that_have_no_ranks_have_no_correlation(demo: fx.DualEncoder) -> None:
    two = fx.explain(demo, SCENE.image, SCENE.caption, budget=8, order=1, regions=[[0, 1]])
    assert np.isnan(check(demo, two).rank_correlation)
    assert example().order == 2
