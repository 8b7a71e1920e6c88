"""What all attribution methods promise: nothing is left on the model, whatever happens and whoever shares it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

import fixlip_core as fx
from fixlip_core.encoders.loading import load_encoder
from fixlip_core.errors import CanceledError, InvalidCaptionError, InvalidImageError, UnsupportedModelError
from fixlip_core.methods.sides import Side
from tests.fixlip_core.methods.pairs import ATTRIBUTIONS, CAPTION, Subject, explain, noise_image
from tests.support.small_models import small_resnet, write_model


def fingerprint(model: Any) -> tuple[Any, ...]:
    """All that a method could leave behind: weights, flags, gradients, hooks, patched methods."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.detach().numpy().tobytes())
    flags = [(name, p.requires_grad, p.grad is None, p.dtype) for name, p in model.named_parameters()]
    modules = [
        (
            name,
            module.training,
            sorted(vars(module)),
            *(len(hooks) for key, hooks in sorted(vars(module).items()) if key.endswith("_hooks")),
        )
        for name, module in model.named_modules()
    ]
    return digest.hexdigest(), flags, modules, torch.is_grad_enabled()


@pytest.fixture
def trainable(subject: Subject) -> Any:
    """The model with weights that want gradients, as they do while training; afterwards as it was."""
    before = [parameter.requires_grad for parameter in subject.model.parameters()]
    subject.model.requires_grad_(True)
    yield subject
    for parameter, flag in zip(subject.model.parameters(), before, strict=True):
        parameter.requires_grad_(flag)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_model_is_left_as_it_was(trainable: Subject, method: str) -> None:
    before = fingerprint(trainable.model)
    wanted = explain(trainable.encoder, method)
    assert fingerprint(trainable.model) == before
    trainable.model.requires_grad_(False)
    frozen = fingerprint(trainable.model)
    same = explain(trainable.encoder, method)
    assert fingerprint(trainable.model) == frozen
    np.testing.assert_allclose(same.first, wanted.first, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(same.second, wanted.second, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_model_is_left_as_it_was_when_stopped_half_way(trainable: Subject, method: str) -> None:
    before = fingerprint(trainable.model)
    untouched = explain(trainable.encoder, method)

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise CanceledError("enough")

    with pytest.raises(CanceledError):
        fx.explain(trainable.encoder, noise_image(), CAPTION, method=method, progress=stop)
    assert fingerprint(trainable.model) == before
    np.testing.assert_array_equal(explain(trainable.encoder, method).first, untouched.first)


def test_threads_on_one_model_do_not_meet(subject: Subject) -> None:
    alone = {method: explain(subject.encoder, method) for method in ATTRIBUTIONS}
    before = fingerprint(subject.model)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda method: (method, explain(subject.encoder, method)), ATTRIBUTIONS * 3))
    assert fingerprint(subject.model) == before
    for method, e in together:
        np.testing.assert_allclose(e.first, alone[method].first, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(e.second, alone[method].second, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_callers_mode_does_not_matter(clip: Subject, method: str, mode: Any) -> None:
    expected = explain(clip.encoder, method)
    with mode():
        e = explain(clip.encoder, method)
        assert not torch.is_grad_enabled()
    np.testing.assert_array_equal(e.first, expected.first)
    np.testing.assert_array_equal(e.second, expected.second)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_progress_rises_to_the_passes_that_are_reported(subject: Subject, method: str) -> None:
    seen: list[tuple[int, int]] = []
    e = fx.explain(subject.encoder, noise_image(), CAPTION, method=method, progress=lambda *state: seen.append(state))
    total = e.image_passes + e.text_passes
    assert {of for _, of in seen} == {total}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (total, total)
    assert len(seen) > 2


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_ends_are_those_of_the_game(subject: Subject, method: str) -> None:
    e = explain(subject.encoder, method)
    game = fx.SimilarityGame.of(subject.encoder, noise_image(), CAPTION, score=e.score)
    assert (e.empty_value, e.full_value) == pytest.approx(game.empty_and_full())
    image, text = subject.embeddings(noise_image(), CAPTION)
    assert e.full_value == pytest.approx(game.scale * float(image @ text.T) + game.bias, abs=1e-4)
    assert (e.n_image, e.n_text) == (game.players.n_image, game.players.n_text)


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_one_token_is_enough(subject: Subject, method: str) -> None:
    e = fx.explain(subject.encoder, noise_image(), "a", method=method)
    assert np.isfinite(e.first).all()
    assert np.isfinite(e.second).all()


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_longest_caption_works(clip: Subject, method: str) -> None:
    e = fx.explain(clip.encoder, noise_image(), "red " * clip.encoder.card.max_tokens, method=method)
    assert e.n_text == clip.encoder.card.max_tokens
    assert np.isfinite(e.first).all()
    assert np.isfinite(e.second).all()


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_picture_that_is_its_own_reference_works(demo: fx.DualEncoder, method: str) -> None:
    grey = np.full((128, 128, 3), 127.5).astype(np.uint8)
    e = fx.explain(demo, grey, "a circle", method=method)
    assert np.isfinite(e.first).all()
    assert np.isfinite(e.second).all()


@pytest.mark.parametrize("method", ATTRIBUTIONS)
def test_encoder_without_towers_is_refused_by_name(tmp_path_factory: pytest.TempPathFactory, method: str) -> None:
    encoder = load_encoder(str(write_model(tmp_path_factory.mktemp("resnet"), small_resnet())), model_id="res")
    with pytest.raises(UnsupportedModelError, match=f"'{method}'.*'res'"):
        explain(encoder, method)


def test_bad_inputs_are_named(clip: Subject) -> None:
    with pytest.raises(InvalidCaptionError):
        fx.explain(clip.encoder, noise_image(), "  ", method="game")
    with pytest.raises(InvalidImageError):
        fx.explain(clip.encoder, np.zeros((2, 2), np.uint8), CAPTION, method="game")


def test_sides_end_where_open_clip_does(subject: Subject) -> None:
    encoder, (image, text) = subject.encoder, subject.embeddings(noise_image(), CAPTION)
    patches = encoder.card.grid[0] * encoder.card.grid[1]
    with torch.no_grad():
        image_side = Side.of_image(encoder.image_tower, encoder.view(noise_image()), patches)
        text_side = Side.of_text(encoder.text_tower, CAPTION)
    for side, expected in ((image_side, image), (text_side, text)):
        torch.testing.assert_close(side.embedding(), expected, atol=1e-5, rtol=1e-4)
        assert not side.below(1).requires_grad
        assert side.state.shape == side.reference.shape
    assert len(image_side.units) == patches
    # Marks are the same in the reference: only content and what stands for it differ.
    differs = (text_side.state - text_side.reference)[0].abs().sum(dim=-1) > 0
    assert set(differs.nonzero()[:, 0].tolist()) <= set(text_side.units)
