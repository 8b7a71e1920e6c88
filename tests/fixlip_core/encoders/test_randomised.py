"""Models with their weights drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fixlip_core as fx
from fixlip_core.encoders.randomised import randomised
from fixlip_core.errors import UnsupportedModelError
from tests.support.fake_encoder import FakeEncoder
from tests.support.small_models import SmallModel, small_clip, small_resnet, small_siglip, write_model
from tests.support.small_tokenizers import write_siglip_tokenizer

IMAGE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
CAPTION = "a red circle"


@pytest.fixture(params=[small_clip, small_siglip, small_resnet])
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    build: Callable[[], SmallModel] = request.param
    path = write_model(tmp_path / "model", build())
    if build is small_siglip:
        write_siglip_tokenizer(path)
    return fx.load_encoder(str(path))


def embeddings(encoder: Any) -> tuple[Any, Any]:
    players = encoder.players(CAPTION)
    ones = (np.ones((1, n), dtype=bool) for n in (players.n_image, players.n_text))
    return encoder.encode_images(IMAGE, next(ones)), encoder.encode_texts(CAPTION, next(ones), removal="token")


def test_architecture_and_sizes_stay(encoder: Any) -> None:
    before = {name: weight.clone() for name, weight in encoder.model.named_parameters()}
    other: Any = randomised(encoder, seed=0)
    assert type(other) is type(encoder)
    assert other.card == encoder.card
    for name, weight in other.model.named_parameters():
        assert weight.shape == before[name].shape
        assert torch.equal(encoder.model.get_parameter(name), before[name])
        if weight.numel() > 1_000:
            assert not torch.equal(weight, before[name])
            torch.testing.assert_close(weight.std(), before[name].std(), rtol=0.2, atol=1e-6)
        if weight.numel() == 1:
            assert torch.equal(weight, before[name])
    for name, buffer in other.model.named_buffers():
        assert torch.equal(buffer, encoder.model.get_buffer(name))
    for new, old in zip(embeddings(other), embeddings(encoder), strict=True):
        assert np.isfinite(new).all()
        assert np.abs(new - old).max() > 0.01


def test_the_seed_settles_the_weights(encoder: Any) -> None:
    first, again, other = (embeddings(randomised(encoder, seed=seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_threads_change_no_weight(tmp_path: Path) -> None:
    encoder: Any = fx.load_encoder(str(write_model(tmp_path / "model", small_clip())))
    before, weights = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            other: Any = randomised(encoder, seed=0)
            weights.append(dict(other.model.named_parameters()))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(weight, weights[1][name]) for name, weight in weights[0].items())


def test_only_known_encoders_have_weights() -> None:
    unknown: Any = FakeEncoder()
    with pytest.raises(UnsupportedModelError):
        randomised(unknown, seed=0)


def test_hidden_view_is_what_is_seen_without_patches(encoder: Any) -> None:
    """To the rounding of pixels, a picture of it is the picture without patches."""
    nothing = np.zeros((1, encoder.players(CAPTION).n_image), dtype=bool)
    view = encoder.view(IMAGE)
    for removal in ("zero", "mean", "blur"):
        hidden = encoder.hidden_view(IMAGE, removal=removal)
        assert (hidden.shape, hidden.dtype) == (view.shape, np.uint8)
        shown = encoder.encode_images(hidden, ~nothing)
        np.testing.assert_allclose(shown, encoder.encode_images(view, nothing, removal=removal), atol=0.03)
