"""Attributions are explanations like any other: they can be saved, but predict nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import NotAdditiveError
from tests.fixlip_core.methods.pairs import ATTRIBUTIONS, Subject, explain


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_predicts_nothing(clip: Subject, method: str) -> None:
    e = explain(clip.encoder, method)
    assert not e.additive
    with pytest.raises(NotAdditiveError):
        e.predict(np.ones((1, e.n_players), bool))
    assert np.isnan([e.baseline, e.p, e.estimated_r2]).all()
    assert np.isnan(e.first_std_error).all()
    assert np.isnan(e.second_std_error).all()


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_can_be_saved(clip: Subject, method: str, suffix: str, tmp_path: Path) -> None:
    e = explain(clip.encoder, method)
    e.save(tmp_path / f"e{suffix}")
    read = fx.Explanation.load(tmp_path / f"e{suffix}")
    np.testing.assert_array_equal(read.first, e.first)
    np.testing.assert_array_equal(read.second, e.second)
    assert (read.index, read.method, dict(read.provenance)) == (e.index, method, dict(e.provenance))


@pytest.mark.parametrize("method", [m for m in ATTRIBUTIONS if m != "m2ib"])
def test_score_scales_the_values(clip: Subject, method: str) -> None:
    cosine, logit = (explain(clip.encoder, method, score=score) for score in ("cosine", "logit"))
    scale = clip.encoder.card.logit_scale
    np.testing.assert_allclose(logit.first, scale * cosine.first, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(logit.second, scale * cosine.second, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_half_precision_gives_the_like(demo: fx.DualEncoder, method: str) -> None:
    half = fx.load_encoder("demo", precision="bf16")
    scene = draw_scene(3, n_objects=1)
    one, two = (fx.explain(encoder, scene.image, scene.caption, method=method) for encoder in (demo, half))
    values = np.stack([np.concatenate([e.first, e.cross.ravel()]) for e in (one, two)])
    assert np.corrcoef(values)[0, 1] > 0.9


@pytest.mark.parametrize("method", ["exclip", "m2ib", "nib"])
def test_objects_stand_out_from_their_background(demo: fx.DualEncoder, method: str) -> None:
    """These three on average; on this encoder the others, which look at the last blocks' attention, do not all."""
    inside, outside = [], []
    for seed in range(5):
        scene = draw_scene(seed, n_objects=1)
        e = fx.explain(demo, scene.image, scene.caption, method=method)
        heat, where = e.main_effects()[: e.n_image].reshape(e.grid), scene.patches_of(0, e.grid)
        inside.append(heat[where].mean())
        outside.append(heat[~where].mean())
    assert np.mean(inside) > 1.2 * np.mean(outside)
