"""Loading by name: what is there loads with its weights, what is not says what was looked for."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.loading import demo_directory
from fixlip_core.errors import (
    FixlipError,
    InvalidParameterError,
    TokenizerNotFoundError,
    UnknownModelError,
    UnsupportedModelError,
    WeightsNotFoundError,
)
from tests.support.small_models import (
    SmallModel,
    small_clip,
    small_coca,
    small_convnext,
    small_mobileclip,
    small_resnet,
    small_siglip,
    small_siglip2,
    write_model,
)
from tests.support.small_tokenizers import write_siglip2_tokenizer, write_siglip_tokenizer


def test_demo_card(demo: fx.DualEncoder) -> None:
    card = demo.card
    assert (card.id, card.family, card.grid, card.image_size_px) == ("demo", "clip", (8, 8), (128, 128))
    assert card.max_tokens == 38
    assert card.revision.startswith("sha256:")
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_demo_file_is_small_and_is_safetensors() -> None:
    weights = demo_directory() / "open_clip_model.safetensors"
    assert weights.stat().st_size <= 18_000_000
    tensors = load_file(str(weights))
    beside_tokens = sum(t.numel() for name, t in tensors.items() if name != "token_embedding.weight")
    assert 1_500_000 <= beside_tokens <= 2_500_000


def test_directory_and_checkpoint_give_the_same_weights(tmp_path: Path, demo: fx.DualEncoder) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(demo_directory(), folder)
    assert fx.load_encoder(str(folder)).card.revision == demo.card.revision
    assert fx.load_encoder(f"local-dir:{folder}").card.revision == demo.card.revision


def test_revision_follows_the_weights(tmp_path: Path, demo: fx.DualEncoder) -> None:
    shutil.copytree(demo_directory(), tmp_path, dirs_exist_ok=True)
    path = str(tmp_path / "open_clip_model.safetensors")
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    tensors["visual.proj"][0, 0] += 0.5
    save_file(tensors, path)
    assert fx.load_encoder(str(tmp_path)).card.revision != demo.card.revision


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_architecture_with_a_checkpoint_file(tmp_path: Path, suffix: str) -> None:
    """A named architecture with a local file: built small by registering a config of its own."""
    library = open_clip()
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 16, "patch_size": 8, "width": 16, "head_width": 8, "layers": 1},
        "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    (tmp_path / "fixlip-test-tiny.json").write_text(json.dumps(config))
    library.add_model_config(tmp_path)
    model = library.CLIP(**config)
    checkpoint = tmp_path / f"weights{suffix}"
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if suffix == ".pt":
        torch.save({"state_dict": state}, checkpoint)
    else:
        save_file(state, str(checkpoint))
    encoder: Any = fx.load_encoder(f"fixlip-test-tiny/{checkpoint}")
    assert encoder.card.grid == (2, 2)
    image = draw_scene(1).image
    with torch.inference_mode():
        pixels = library.image_transform(16, is_train=False)(Image.fromarray(image))[None]
        theirs = model.eval().encode_image(pixels, normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode_images(image, np.ones((1, 4), bool)), theirs, atol=1e-5)


def no_config(folder: Path) -> None:
    (folder / "open_clip_config.json").unlink()


def no_weights(folder: Path) -> None:
    (folder / "open_clip_model.safetensors").unlink()


def cut_weights(folder: Path) -> None:
    path = folder / "open_clip_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def other_architecture(folder: Path) -> None:
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["vision_cfg"]["layers"] = 5
    path.write_text(json.dumps(config))


def broken_config(folder: Path) -> None:
    (folder / "open_clip_config.json").write_text("{")


@pytest.mark.parametrize("damage", [no_config, no_weights, cut_weights, other_architecture, broken_config])
def test_directories_without_whole_weights_never_load(tmp_path: Path, damage: Any) -> None:
    shutil.copytree(demo_directory(), tmp_path, dirs_exist_ok=True)
    damage(tmp_path)
    with pytest.raises(WeightsNotFoundError):
        fx.load_encoder(str(tmp_path))


@pytest.mark.parametrize(
    ("damage", "says"),
    [(cut_weights, "could not be loaded: "), (other_architecture, "do not fit the architecture: .*key")],
)
def test_what_is_wrong_with_weights_is_told(tmp_path: Path, damage: Any, says: str) -> None:
    shutil.copytree(demo_directory(), tmp_path, dirs_exist_ok=True)
    damage(tmp_path)
    with pytest.raises(WeightsNotFoundError, match=f"the weights of .* {says}"):
        fx.load_encoder(str(tmp_path))


def test_a_checkpoint_of_another_grid_and_size_does_not_fit(tmp_path: Path) -> None:
    """open_clip fails while it stretches the position embedding, before it compares shapes."""
    shutil.copytree(demo_directory(), tmp_path, dirs_exist_ok=True)
    path = tmp_path / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["vision_cfg"]["patch_size"] = 32
    path.write_text(json.dumps(config))
    with pytest.raises(WeightsNotFoundError, match=r"do not fit the architecture: .*Half"):
        fx.load_encoder(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("nonsense", UnknownModelError, "'ViT-B-32/openai'"),
        ("ViT-B-23/openai", UnknownModelError, "did you mean"),
        ("ViT-B-32", UnknownModelError, "names no weights"),
        ("ViT-B-32/no-such-tag", WeightsNotFoundError, "openai"),
    ],
)
def test_names_that_cannot_be_loaded(name: str, error: type[FixlipError], says: str) -> None:
    with pytest.raises(error, match=says):
        fx.load_encoder(name)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub is out of reach, and the cache of what came from it is this empty directory."""
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    return cache


@pytest.mark.parametrize("name", ["ViT-B-32/laion2b_s34b_b79k", "hf-hub:nobody/nothing"])
@pytest.mark.usefixtures("offline")
def test_weights_that_cannot_be_fetched_are_an_error(name: str) -> None:
    """Never random weights instead."""
    with pytest.raises(WeightsNotFoundError, match="could not be loaded"):
        fx.load_encoder(name)


@pytest.mark.usefixtures("offline")
def test_a_tokenizer_that_cannot_be_fetched_is_an_error() -> None:
    with pytest.raises(TokenizerNotFoundError, match="timm/ViT-B-16-SigLIP"):
        fx.load_encoder("ViT-B-16-SigLIP/webli")


def test_a_hub_model_loads_from_what_was_fetched_before(offline: Path) -> None:
    small, revision = small_siglip(), "0" * 40
    folder = offline / "models--small--siglip" / "snapshots" / revision
    write_siglip_tokenizer(write_model(folder, small))
    (folder.parents[1] / "refs").mkdir()
    (folder.parents[1] / "refs" / "main").write_text(revision)
    encoder: Any = fx.load_encoder("hf-hub:small/siglip")
    assert encoder.card.id == "hf-hub:small/siglip"
    assert encoder.card.tokenizer == f"canonicalize:{folder}/tokenizer.json"
    assert encoder.card.logit_bias == -10
    assert encoder.card.max_tokens == 23


class TestTokenizer:
    def test_without_one_in_the_directory_it_can_be_given(self, tmp_path: Path) -> None:
        folder = str(write_model(tmp_path / "model", small_siglip2()))
        with pytest.raises(TokenizerNotFoundError, match="name another one"):
            fx.load_encoder(folder)
        path = write_siglip2_tokenizer(tmp_path / "tokenizer")
        encoder = fx.load_encoder(folder, tokenizer=str(path.parent))
        assert encoder.card.tokenizer == f"canonicalize:{path}"
        assert "".join(encoder.players("A red Circle!").tokens).replace("▁", "") == "aredcircle"

    def test_a_text_tower_of_transformers_says_what_it_needs(self, tmp_path: Path) -> None:
        write_model(tmp_path, small_clip())
        path = tmp_path / "open_clip_config.json"
        config = json.loads(path.read_text())
        config["model_cfg"]["text_cfg"] = {"hf_model_name": "roberta-base"}
        path.write_text(json.dumps(config))
        with pytest.raises(UnsupportedModelError, match="roberta-base, which needs the package transformers"):
            fx.load_encoder(str(tmp_path))


class TestDigest:
    def test_the_right_one_loads_and_another_does_not(self, demo: fx.DualEncoder) -> None:
        weights = (demo_directory() / "open_clip_model.safetensors").read_bytes()
        digest = hashlib.sha256(weights).hexdigest()
        assert fx.load_encoder("demo", sha256=digest.upper()).card.revision == demo.card.revision
        with pytest.raises(WeightsNotFoundError, match=f"sha256 .* is {digest}, not {'0' * 64}"):
            fx.load_encoder("demo", sha256="0" * 64)


class TestGrid:
    def test_is_chosen_for_a_model_without_patches(self, tmp_path: Path) -> None:
        folder = str(write_model(tmp_path, small_convnext()))
        assert fx.load_encoder(folder).card.grid == (8, 8)
        assert fx.load_encoder(folder, grid=(4, 2)).card.grid == (4, 2)
        with pytest.raises(InvalidParameterError, match="7 x 7 does not divide") as caught:
            fx.load_encoder(folder, grid=(7, 7))
        assert caught.value.field == "grid"

    def test_is_the_models_own_where_it_has_patches(self) -> None:
        assert fx.load_encoder("demo", grid=(8, 8)).card.grid == (8, 8)
        with pytest.raises(InvalidParameterError, match="patches of its own, 8 x 8") as caught:
            fx.load_encoder("demo", grid=(4, 4))
        assert caught.value.field == "grid"


def test_an_id_of_the_callers_own_names_the_card() -> None:
    assert fx.load_encoder("demo", model_id="house-model").card.id == "house-model"


@pytest.mark.parametrize(
    ("option", "value"),
    [("precision", "fp8"), ("precision", "fp16"), ("device", "abacus"), ("device", "cuda:0")],
)
def test_wrong_options_are_named(option: str, value: Any) -> None:
    if value == "cuda:0" and torch.cuda.is_available():
        value = "cuda:99"
    with pytest.raises((InvalidParameterError, WeightsNotFoundError)) as caught:
        fx.load_encoder("demo", **{option: value})
    assert option in str(caught.value) or "cuda" in str(caught.value)


@pytest.mark.parametrize(("feature", "warns"), [("avx512_bf16", False), ("amx_bf16", False), ("avx2", True)])
def test_slow_bfloat16_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, feature: str, warns: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {feature: True, "arch_bf16": False, "cores": 2})
    fx.load_encoder("demo", precision="bf16")
    assert ("no bfloat16 instructions" in caplog.text) == warns


@pytest.mark.parametrize("build", [small_siglip, small_resnet, small_convnext, small_coca, small_mobileclip])
def test_bfloat16_is_close_to_float32(tmp_path: Path, build: Callable[[], SmallModel]) -> None:
    write_siglip_tokenizer(write_model(tmp_path, build()))
    single, half = (fx.load_encoder(str(tmp_path), precision=precision) for precision in ("fp32", "bf16"))
    assert half.card.precision == "bf16"
    image = draw_scene(6).image
    patches = np.random.default_rng(3).random((12, single.players("a red circle").n_image)) < 0.5
    tokens = np.random.default_rng(4).random((12, single.players("a red circle").n_text)) < 0.5
    images = [encoder.encode_images(image, patches) for encoder in (single, half)]
    removal = single.text_removals[0]
    texts = [encoder.encode_texts("a red circle", tokens, removal=removal) for encoder in (single, half)]
    for ours, theirs in (images, texts):
        assert theirs.dtype == np.float32
        assert np.einsum("md,md->m", ours, theirs).min() > 0.98
