"""Every model family through ``load_encoder`` against open_clip itself: nothing removed, and removal the slow way.

The slow way knows nothing of the adapters: pixels are replaced after normalisation and the whole tower run again, a row
at a time; a token's key is masked in every layer over the whole context, or its id replaced and the tower run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from tokenizers import Tokenizer

import fixlip_core as fx
from fixlip_core.defaults import BLUR_SHARE
from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.generic import GenericEncoder
from fixlip_core.encoders.transformer import TransformerEncoder
from fixlip_core.types import BoolArray
from tests.support import small_models
from tests.support.small_models import SmallModel, small_clip, write_model
from tests.support.small_tokenizers import write_bert_tokenizer, write_siglip2_tokenizer, write_siglip_tokenizer

CAPTION = "A red circle, two small dogs"
CLIPA_TEXT = {
    "hf_tokenizer_name": "bert-base-uncased",
    "tokenizer_kwargs": {"strip_sep_token": True},
    "vocab_size": 600,
    "pool_type": "last",
    "no_causal_mask": True,
}
CLIPA_VISION = {"no_ln_pre": True, "pool_type": "avg", "final_ln_after_pool": True}


@dataclass(frozen=True)
class Family:
    """How a small model of it is built, which adapter runs it, and how its captions are framed.

    ``frame`` is None for CLIP's own tokenizer, else (writer, ids before, ids after, padding).
    """

    build: Callable[[], SmallModel]
    adapter: type
    frame: tuple[Callable[[Path], Path], list[int], list[int], int] | None = None


def clip(**overrides: Any) -> Family:
    return Family(partial(small_clip, **overrides), TransformerEncoder)


FAMILIES = {
    "clip": clip(),
    "clip-quick-gelu": clip(quick_gelu=True),
    "clip-logit-bias": clip(init_logit_bias=-3.0),
    "clip-average-pool": clip(vision={"pool_type": "avg", "final_ln_after_pool": True}),
    "clip-wide": clip(vision={"image_size": [32, 64]}),
    "clip-layer-scale": clip(custom_text=True, vision={"ls_init_value": 0.5}, text={"ls_init_value": 0.5}),
    "clip-pool-first": clip(custom_text=True, text={"pool_type": "first", "no_causal_mask": True}),
    "clip-pool-last": clip(custom_text=True, text={"pool_type": "last"}),
    "clip-pool-eos": clip(text={"pool_type": "eos", "eos_id": 49_407}),
    "clip-projection-bias": clip(custom_text=True, text={"proj_bias": True}),
    "clip-no-projection": clip(custom_text=True, text={"proj_type": "none"}),
    "clipa": Family(
        partial(small_clip, custom_text=True, vision=CLIPA_VISION, text=CLIPA_TEXT),
        TransformerEncoder,
        (write_bert_tokenizer, [2], [0], 0),
    ),
    "siglip": Family(small_models.small_siglip, TransformerEncoder, (write_siglip_tokenizer, [], [1], 1)),
    "siglip2": Family(small_models.small_siglip2, TransformerEncoder, (write_siglip2_tokenizer, [], [1], 0)),
    "resnet": Family(small_models.small_resnet, GenericEncoder),
    "convnext": Family(small_models.small_convnext, GenericEncoder),
    "coca": Family(small_models.small_coca, GenericEncoder),
    "mobileclip": Family(small_models.small_mobileclip, GenericEncoder),
}


@dataclass(frozen=True)
class Loaded:
    """A family's small model, and the encoder that was loaded from its files."""

    small: SmallModel
    encoder: Any
    ids: torch.Tensor
    content: list[int]

    @property
    def text(self) -> Any:
        return getattr(self.small.model, "text", self.small.model)


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    family, folder = FAMILIES[request.param], tmp_path_factory.mktemp("model")
    small = family.build()
    write_model(folder, small)
    length = small.config["text_cfg"]["context_length"]
    if family.frame is None:
        line = open_clip().SimpleTokenizer(context_length=length)([CAPTION])[0].tolist()
        content = list(range(1, int(np.argmax(line))))
    else:
        write, before, after, pad = family.frame
        cleaned = open_clip().tokenizer.get_clean_fn(small.config["text_cfg"]["tokenizer_kwargs"].get("clean", "lower"))
        pieces = Tokenizer.from_file(str(write(folder))).encode(cleaned(CAPTION), add_special_tokens=False).ids
        line = [*before, *pieces, *after]
        line += [pad] * (length - len(line))
        content = list(range(len(before), len(before) + len(pieces)))
    encoder = fx.load_encoder(str(folder))
    assert type(encoder) is family.adapter
    return Loaded(small, encoder, torch.tensor([line]), content)


def photo() -> Image.Image:
    """A photograph of no matter what, larger than any view."""
    noise = np.random.default_rng(5).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((120, 90), Image.Resampling.BICUBIC)


def coalitions(n: int, *, seed: int) -> BoolArray:
    """All absent, all present and a few in between."""
    some = np.random.default_rng(seed).random((5, n)) < 0.5
    return np.concatenate([np.zeros((1, n), bool), np.ones((1, n), bool), some])


def assert_close(ours: Any, theirs: Sequence[torch.Tensor]) -> None:
    np.testing.assert_allclose(ours, torch.cat(list(theirs)).numpy(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    assert ours.dtype == np.float32


@torch.inference_mode()
def test_everything_present_is_open_clip(loaded: Loaded) -> None:
    model, encoder = loaded.small.model, loaded.encoder
    players = encoder.players(CAPTION)
    assert players.n_text == len(loaded.content)
    pixels = loaded.small.preprocess(photo())[None]
    ours = encoder.encode_images(photo(), np.ones((1, players.n_image), bool))
    assert_close(ours, [model.encode_image(pixels, normalize=True)])
    for removal in encoder.text_removals:
        ours = encoder.encode_texts(CAPTION, np.ones((1, players.n_text), bool), removal=removal)
        assert_close(ours, [model.encode_text(loaded.ids, normalize=True)])


@pytest.mark.parametrize("removal", ["zero", "mean", "blur"])
@torch.inference_mode()
def test_removed_patches_are_replaced_pixels(loaded: Loaded, removal: str) -> None:
    encoder, (rows, columns) = loaded.encoder, loaded.encoder.card.grid
    view = Image.fromarray(encoder.view(photo()))
    pixels = loaded.small.preprocess(view)[None]
    instead = {
        "zero": torch.zeros_like(pixels),
        "mean": pixels.mean(dim=(2, 3), keepdim=True).expand_as(pixels),
        "blur": loaded.small.preprocess(view.filter(ImageFilter.GaussianBlur(BLUR_SHARE * min(view.size))))[None],
    }[removal]
    height, width = pixels.shape[2] // rows, pixels.shape[3] // columns
    present = coalitions(rows * columns, seed=0)
    theirs = []
    for row in present:
        masked = pixels.clone()
        for patch in np.flatnonzero(~row):
            top, left = (patch // columns) * height, (patch % columns) * width
            cell = (..., slice(top, top + height), slice(left, left + width))
            masked[cell] = instead[cell]
        theirs.append(loaded.small.model.encode_image(masked, normalize=True))
    assert_close(encoder.encode_images(photo(), present, removal=removal), theirs)


@torch.inference_mode()
def test_replaced_tokens_are_padding(loaded: Loaded) -> None:
    encoder, family = loaded.encoder, loaded.small
    padding = int(loaded.ids[0, -1])
    present = coalitions(len(loaded.content), seed=1)
    theirs = []
    for row in present:
        ids = loaded.ids.clone()
        ids[0, [at for at, kept in zip(loaded.content, row, strict=True) if not kept]] = padding
        theirs.append(family.model.encode_text(ids, normalize=True))
    assert_close(encoder.encode_texts(CAPTION, present, removal="token"), theirs)


@torch.inference_mode()
def test_masked_tokens_are_masked_keys_in_every_layer(loaded: Loaded) -> None:
    """Over the whole context, with open_clip's own blocks and pooling."""
    if "mask" not in loaded.encoder.text_removals:
        assert not loaded.encoder.card.attention
        return
    text, ids = loaded.text, loaded.ids
    pool = getattr(text, "text_pool_type", getattr(text, "pool_type", None))
    eos_id = getattr(text, "text_eos_id", getattr(text, "eos_id", None))
    present = coalitions(len(loaded.content), seed=2)
    theirs = []
    for row in present:
        mask = torch.zeros(ids.shape[1], ids.shape[1])
        if text.attn_mask is not None:
            mask = torch.full_like(mask, float("-inf")).triu(1)
        mask[:, [at for at, kept in zip(loaded.content, row, strict=True) if not kept]] = float("-inf")
        x = text.transformer(text.token_embedding(ids) + text.positional_embedding, attn_mask=mask)
        x = open_clip().transformer.text_global_pool(text.ln_final(x), ids, pool, eos_token_id=eos_id)
        if isinstance(text.text_projection, torch.nn.Linear):
            x = text.text_projection(x)
        elif text.text_projection is not None:
            x = x @ text.text_projection
        theirs.append(F.normalize(x, dim=-1))
    assert_close(loaded.encoder.encode_texts(CAPTION, present, removal="mask"), theirs)


def test_rows_do_not_depend_on_their_batch(loaded: Loaded) -> None:
    encoder = loaded.encoder
    patches = coalitions(encoder.players(CAPTION).n_image, seed=3)
    tokens = coalitions(len(loaded.content), seed=4)
    removal = encoder.text_removals[0]
    alone = np.concatenate([encoder.encode_images(photo(), row[None]) for row in patches])
    np.testing.assert_allclose(encoder.encode_images(photo(), patches), alone, atol=1e-5)
    alone = np.concatenate([encoder.encode_texts(CAPTION, row[None], removal=removal) for row in tokens])
    np.testing.assert_allclose(encoder.encode_texts(CAPTION, tokens, removal=removal), alone, atol=1e-5)


@torch.no_grad()
def test_card(loaded: Loaded) -> None:
    model, card = loaded.small.model, loaded.encoder.card
    assert card.embed_dim == loaded.small.config["embed_dim"]
    assert card.attention == isinstance(loaded.encoder, TransformerEncoder)
    assert card.logit_scale == pytest.approx(float(model.logit_scale.exp()))
    bias = getattr(model, "logit_bias", None)
    assert card.logit_bias == (0 if bias is None else pytest.approx(float(bias)))
    assert card.context_length == loaded.ids.shape[1]
    assert card.family == ("coca" if hasattr(model, "text_decoder") else "clip" if bias is None else "siglip")
    assert loaded.encoder.view(photo()).shape[:2] == card.image_size_px
    assert 0 < loaded.encoder.text_cost < 1
