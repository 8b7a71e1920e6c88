"""The demo encoder knows its scenes; the measure counts what it says."""

from __future__ import annotations

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.retrieval import top1_among
from fixlip_core.demo.scenes import draw_scene


def test_counts_strict_and_distinct() -> None:
    images = np.eye(4)
    captions = np.eye(4)
    captions[1] = captions[0]
    found = top1_among(images, captions, ["a", "a", "b", "c"], n_captions=4, seed=0)
    assert found.distinct >= found.strict
    perfect = top1_among(np.eye(4), np.eye(4), list("abcd"), n_captions=4, seed=0)
    assert (perfect.distinct, perfect.strict) == (1.0, 1.0)
    swapped = top1_among(np.eye(4), np.eye(4)[[1, 0, 3, 2]], list("abcd"), n_captions=4, seed=0)
    assert swapped.strict == 0.0


@pytest.mark.slow
def test_demo_encoder_finds_the_right_caption_among_50(demo: fx.DualEncoder) -> None:
    scenes = [draw_scene(900_000 + k) for k in range(300)]
    images = [demo.encode_images(s.image, np.ones((1, 64), bool))[0] for s in scenes]
    texts = [demo.encode_texts(s.caption, np.ones((1, demo.players(s.caption).n_text), bool))[0] for s in scenes]
    found = top1_among(np.stack(images), np.stack(texts), [s.content for s in scenes], n_captions=50, seed=0)
    assert found.distinct >= 0.95
