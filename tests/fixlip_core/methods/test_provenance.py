"""Every explanation says what its values depend on."""

from __future__ import annotations

import json

import fixlip_core as fx
from fixlip_core.methods.provenance import provenance
from tests.fixlip_core.methods.pairs import ATTRIBUTIONS, CAPTION, Subject, explain, noise_image

COMMON = {
    "model",
    "model_revision",
    "precision",
    "device",
    "caption",
    "view_sha256",
    "seed",
    "budget",
    "estimator",
    "version_fixlip",
    "version_torch",
    "version_open_clip_torch",
}


def test_same_pair_same_provenance_other_image_another(clip: Subject) -> None:
    one, two, other = (
        provenance(fx.SimilarityGame.of(clip.encoder, noise_image(seed), CAPTION), seed=1, steps=3)
        for seed in (0, 0, 1)
    )
    assert one == two
    assert one["view_sha256"] != other["view_sha256"]
    assert {key for key in one if one[key] != other[key]} == {"view_sha256"}
    assert (one["seed"], one["budget"], one["steps"]) == (1, None, 3)
    assert (one["caption"], one["model"]) == (CAPTION, clip.encoder.card.id)


def test_every_method_has_the_common_keys_and_its_parameters(clip: Subject) -> None:
    for method in ("fixlip", *ATTRIBUTIONS):
        e = explain(clip.encoder, method)
        assert set(e.provenance) >= COMMON
        assert json.loads(json.dumps(dict(e.provenance))) == e.provenance
    assert explain(clip.encoder, "exclip", steps=7, block=-2).provenance["steps"] == 7
    assert explain(clip.encoder, "m2ib", seed=9).provenance["seed"] == 9
    assert explain(clip.encoder, "game").provenance["seed"] is None
