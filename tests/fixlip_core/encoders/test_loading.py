"""Loading by name: what is there loads with its weights, what is not says what was looked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import fixlip_core as fx
from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.loading import demo_directory
from fixlip_core.errors import (
    FixlipError,
    InvalidParameterError,
    UnknownModelError,
    UnsupportedModelError,
    WeightsNotFoundError,
)


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
    assert torch.equal(encoder.model.visual.proj, model.visual.proj)
    assert not any(parameter.requires_grad for parameter in encoder.model.parameters())
    assert not encoder.model.training


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
    ("name", "error", "says"),
    [
        ("nonsense", UnknownModelError, "'ViT-B-32/openai'"),
        ("ViT-B-23/openai", UnknownModelError, "did you mean"),
        ("ViT-B-32", UnknownModelError, "names no weights"),
        ("ViT-B-32/no-such-tag", WeightsNotFoundError, "openai"),
        ("ViT-B-16-SigLIP/webli", UnsupportedModelError, "tokenizer"),
    ],
)
def test_names_that_cannot_be_loaded(name: str, error: type[FixlipError], says: str) -> None:
    with pytest.raises(error, match=says):
        fx.load_encoder(name)


@pytest.mark.parametrize("name", ["ViT-B-32/laion2b_s34b_b79k", "hf-hub:nobody/nothing"])
def test_weights_that_cannot_be_fetched_are_an_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline and with an empty cache: never random weights instead."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsNotFoundError, match="could not be loaded"):
        fx.load_encoder(name)


def test_quick_gelu_of_a_tag_is_honoured() -> None:
    from fixlip_core.encoders.loading import _resolve

    assert _resolve("ViT-B-32/openai", open_clip()).quick_gelu
    assert not _resolve("ViT-B-32/laion2b_s34b_b79k", open_clip()).quick_gelu


@pytest.mark.parametrize(("option", "value"), [("precision", "fp8"), ("device", "abacus"), ("device", "cuda:0")])
def test_wrong_options_are_named(option: str, value: str) -> None:
    if value.startswith("cuda") and torch.cuda.is_available():
        value = "cuda:99"
    with pytest.raises((InvalidParameterError, WeightsNotFoundError)) as caught:
        fx.load_encoder("demo", **{option: value})
    assert option in str(caught.value) or "cuda" in str(caught.value)
