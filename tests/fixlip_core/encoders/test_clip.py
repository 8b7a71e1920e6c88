"""The adapter against open_clip itself: nothing removed, and removal the honest slow way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

import fixlip_core as fx
from fixlip_core.coalitions import enumerate_product
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.errors import InvalidParameterError, UnsupportedModelError

CAPTION = "a photo of a small red circle, left of nothing"
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "quick-gelu": {"quick_gelu": True},
    "custom-text": {"custom_text": True},
    "average-pool": {"vision": {"pool_type": "avg", "final_ln_after_pool": True}},
    "projection-bias": {"custom_text": True, "text": {"proj_bias": True}},
    "no-projection": {"custom_text": True, "text": {"proj_type": "none", "width": 32}},
    "wide-image": {"vision": {"image_size": [32, 64]}},
    "head-scaled": {"vision": {"scale_fc": True, "scale_heads": True}},
    "scaled-text": {"custom_text": True, "text": {"scale_fc": True, "ls_init_value": 0.5}},
    "layer-scale": {"custom_text": True, "text": {"ls_init_value": 0.5}},
}


def build(folder: Path, *, vision: Any = None, text: Any = None, **top: Any) -> Path:
    """A small random CLIP in open_clip's local-directory form."""
    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 48, "head_width": 16, "layers": 2, **(vision or {})},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 2, **(text or {})},
        **top,
    }
    torch.manual_seed(0)
    library = open_clip()
    kind = library.CustomTextCLIP if config.get("custom_text") else library.CLIP
    model = kind(**{key: value for key, value in config.items() if key != "custom_text"})
    save_file({k: v.clone() for k, v in model.state_dict().items()}, str(folder / "open_clip_model.safetensors"))
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    return folder


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return fx.load_encoder(str(build(tmp_path_factory.mktemp("model"), **CONFIGS[request.param])))


def pixels(encoder: Any, image: np.ndarray) -> torch.Tensor:
    tensor: torch.Tensor = encoder.preprocess(Image.fromarray(image))[None]
    return tensor


def tokens(encoder: Any, caption: str) -> torch.Tensor:
    tokenizer = open_clip().SimpleTokenizer(context_length=encoder.card.context_length)
    ids: torch.Tensor = tokenizer([caption])
    return ids


@torch.inference_mode()
def test_everything_present_is_open_clip(encoder: Any) -> None:
    image = draw_scene(3).image
    players = encoder.players(CAPTION)
    ours = encoder.encode_images(image, np.ones((1, players.n_patches), bool))
    theirs = encoder.model.encode_image(pixels(encoder, image), normalize=True).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    ours = encoder.encode_texts(CAPTION, np.ones((1, players.n_tokens), bool))
    theirs = encoder.model.encode_text(tokens(encoder, CAPTION), normalize=True).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@torch.inference_mode()
def test_removed_patches_are_zero_after_normalisation(encoder: Any) -> None:
    image = draw_scene(4).image
    height, width = encoder.card.grid
    present = np.random.default_rng(0).random((7, height * width)) < 0.5
    tensor = pixels(encoder, image)
    side = encoder.model.visual.patch_size[0]
    for row, ours in zip(present, encoder.encode_images(image, present), strict=True):
        mask = torch.from_numpy(row.reshape(height, width)).float()
        masked = tensor * mask.repeat_interleave(side, 0).repeat_interleave(side, 1)
        theirs = encoder.model.encode_image(masked, normalize=True)[0].numpy()
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@torch.inference_mode()
def test_removed_tokens_are_masked_keys_in_every_layer(encoder: Any) -> None:
    """The whole context length with an additive mask, a row at a time."""
    model = encoder.model
    text = getattr(model, "text", model)
    ids = tokens(encoder, CAPTION)
    n = encoder.players(CAPTION).n_tokens
    present = np.random.default_rng(1).random((7, n)) < 0.5
    present[0] = False
    for row, ours in zip(present, encoder.encode_texts(CAPTION, present), strict=True):
        length = ids.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1)
        mask[:, 1 + np.flatnonzero(~row)] = float("-inf")
        x = text.token_embedding(ids) + text.positional_embedding
        x = text.ln_final(text.transformer(x, attn_mask=mask))[:, n + 1]
        projection = text.text_projection
        if isinstance(projection, torch.nn.Linear):
            x = projection(x)
        elif projection is not None:
            x = x @ projection
        np.testing.assert_allclose(ours, F.normalize(x, dim=-1)[0].numpy(), atol=1e-5)


@torch.inference_mode()
def test_shared_prefixes_are_the_masked_tower(demo: Any) -> None:
    """Every coalition, repeated and in any order, against each row run by itself."""
    caption = "a red circle, blue ring"
    x = enumerate_product(demo.players(caption).n_tokens, 0.5).coalitions
    x = x[np.random.default_rng(6).permutation(np.r_[0 : len(x), 0:9])]
    assert demo.shares_prefixes
    shared = demo.encode_texts(caption, x)
    alone = np.concatenate([demo.encode_texts(caption, row[None]) for row in x])
    np.testing.assert_allclose(shared, alone, atol=1e-6)
    object.__setattr__(demo, "shares_prefixes", False)
    try:
        np.testing.assert_allclose(shared, demo.encode_texts(caption, x), atol=1e-6)
    finally:
        object.__delattr__(demo, "shares_prefixes")


def test_rows_do_not_depend_on_their_batch(demo: Any) -> None:
    image = draw_scene(5).image
    present = np.random.default_rng(2).random((300, 64)) < 0.5
    together = demo.encode_images(image, present)
    np.testing.assert_allclose(together[137:140], demo.encode_images(image, present[137:140]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert together.dtype == np.float32


def test_bfloat16_is_close_to_float32(demo: Any) -> None:
    half = fx.load_encoder("demo", precision="bf16")
    image = draw_scene(6).image
    present = np.random.default_rng(3).random((20, 64)) < 0.5
    cosines = np.einsum("md,md->m", demo.encode_images(image, present), half.encode_images(image, present))
    assert cosines.min() > 0.995
    words = np.random.default_rng(4).random((20, 5)) < 0.5
    caption = "a red circle, blue"
    cosines = np.einsum("md,md->m", demo.encode_texts(caption, words), half.encode_texts(caption, words))
    assert cosines.min() > 0.995
    assert half.card.precision == "bf16"


def test_view_is_what_the_model_sees_and_its_own_view(demo: Any) -> None:
    photo = np.random.default_rng(5).integers(0, 255, (90, 200, 3), dtype=np.uint8)
    view = demo.view(photo)
    assert view.shape == (128, 128, 3)
    np.testing.assert_array_equal(demo.view(view), view)
    np.testing.assert_allclose(
        demo.encode_images(photo, np.ones((1, 64), bool)), demo.encode_images(view, np.ones((1, 64), bool)), atol=1e-6
    )


def test_pil_and_array_are_the_same_image(demo: Any) -> None:
    image = draw_scene(7).image
    np.testing.assert_array_equal(demo.view(image), demo.view(Image.fromarray(image).convert("RGBA")))


def test_no_rows_give_no_embeddings(demo: Any) -> None:
    assert demo.encode_images(draw_scene(8).image, np.zeros((0, 64), bool)).shape == (0, 128)
    assert demo.encode_texts("a circle", np.zeros((0, 2), bool)).shape == (0, 128)


def test_wrong_coalitions_are_refused(demo: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"\(m, 64\)"):
        demo.encode_images(draw_scene(8).image, np.ones((2, 63), bool))
    with pytest.raises(InvalidParameterError, match="bool"):
        demo.encode_texts("a circle", np.ones((2, 2)))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"vision": {"attentional_pool": True, "attn_pooler_heads": 4}}, "pools by attention"),
        ({"custom_text": True, "text": {"no_causal_mask": True}}, "not causal"),
        ({"custom_text": True, "text": {"pool_type": "last"}}, "end of the caption"),
        ({"custom_text": True, "text": {"embed_cls": True}}, "class token"),
        ({"vision": {"layers": [1, 1, 1, 1], "width": 16}}, "not open_clip's own ViT"),
    ],
)
def test_towers_that_would_be_masked_wrongly_are_refused(tmp_path: Path, config: Any, reason: str) -> None:
    folder = build(tmp_path, **config)
    with pytest.raises(UnsupportedModelError, match=reason):
        fx.load_encoder(str(folder))
