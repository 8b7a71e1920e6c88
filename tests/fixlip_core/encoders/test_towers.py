"""Towers taken apart: any cut gives the same embedding, under any attention and gradient mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders.blocks import attention_weights, explicit, fused
from tests.support.small_models import small_clip, small_siglip, write_model
from tests.support.small_tokenizers import write_siglip_tokenizer

CAPTION = "a red circle, two small dogs"


@pytest.fixture(scope="module", params=["clip", "average", "qk-norm", "siglip"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("towers")
    if request.param == "siglip":
        path = write_model(folder / "model", small_siglip())
        write_siglip_tokenizer(path)
        return fx.load_encoder(str(path))
    vision = {"clip": {}, "average": {"pool_type": "avg"}, "qk-norm": {"qk_norm": True, "scale_heads": True}}
    return fx.load_encoder(str(write_model(folder / "model", small_clip(vision=vision[request.param]))))


@torch.inference_mode()
def test_any_cut_of_the_blocks_gives_the_same_embedding(encoder: Any) -> None:
    image, text = encoder.image_tower, encoder.text_tower
    view, line = encoder.view(draw_scene(3).image), text.line(CAPTION)
    x, y = image.state(view), text.state(line)
    a, b = image.finish(x), text.finish(y, line=line)
    for start in range(len(image.blocks) + 1):
        np.testing.assert_allclose(image.finish(image.run(x, stop=start), start=start), a, atol=1e-5)
    for start in range(len(text.blocks) + 1):
        cut = text.finish(text.run(y, line=line, stop=start), line=line, start=start)
        np.testing.assert_allclose(cut, b, atol=1e-5)
    ours = encoder.encode_images(view, np.ones((1, x.shape[1] - image.first_patch), bool))
    np.testing.assert_allclose(torch.nn.functional.normalize(a, dim=-1).numpy(), ours, atol=1e-5)


def test_every_attention_is_the_callers(encoder: Any) -> None:
    image, text = encoder.image_tower, encoder.text_tower
    view, line = encoder.view(draw_scene(3).image), text.line(CAPTION)
    seen: list[tuple[int, ...]] = []

    def attend(query: Any, key: Any, value: Any, mask: Any) -> Any:
        seen.append((query.shape[-2], key.shape[-2]))
        return explicit(query, key, value, mask)

    x, y = image.state(view), text.state(line)
    with torch.no_grad():
        np.testing.assert_allclose(image.finish(x, attend=attend), image.finish(x), atol=1e-5)
        whole = x.shape[1]
        pools_by_attention = image.readout is None and len(seen) > len(image.blocks)
        if image.readout is not None or pools_by_attention:
            assert seen[-1] == (1, whole)
        assert seen[0] == (whole, whole)
        seen.clear()
        np.testing.assert_allclose(text.finish(y, line=line, attend=attend), text.finish(y, line=line), atol=1e-5)
        assert seen == [(len(line.ids),) * 2] * (len(text.blocks) - 1) + [(1, len(line.ids))]


def test_gradients_reach_the_input_and_no_weight(encoder: Any) -> None:
    image = encoder.image_tower
    x = image.state(encoder.view(draw_scene(3).image)).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(image.finish(x, attend=explicit).sum(), x)
    assert gradient.abs().max() > 0


def test_removed_tokens_are_seen_by_nobody(encoder: Any) -> None:
    text = encoder.text_tower
    line = text.line(CAPTION)
    present = torch.ones(2, len(line.content), dtype=torch.bool)
    present[1, 1] = False
    mask = text.mask(line, present)
    assert mask is not None
    assert not mask[1, 0, :, line.content[1]].any()
    assert bool(mask[0, 0, -1].all())
    assert mask.shape == (2, 1, len(line.ids), len(line.ids))


def test_replaced_state_keeps_the_marks(encoder: Any) -> None:
    text = encoder.text_tower
    line = text.line(CAPTION)
    here, instead = text.state(line)[0], text.replaced_state(line)[0]
    differs = (here != instead).any(dim=-1).numpy()
    assert set(np.flatnonzero(differs)) == set(line.content)


def test_explicit_attention_is_the_fused_one() -> None:
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 5, 8, generator=generator).unbind()
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    for seen in (None, mask):
        np.testing.assert_allclose(explicit(query, key, value, seen), fused(query, key, value, seen), atol=1e-5)
    weights = attention_weights(query, key, mask)
    np.testing.assert_allclose(weights.sum(dim=-1), 1, atol=1e-5)
    assert not weights[..., ~mask].any()
