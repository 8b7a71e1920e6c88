"""Where weights come from: what a name stands for, and whether the file is the right one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import huggingface_hub.constants
import pytest

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.sources import ModelSource, check_digest, demo_directory, resolve_source, weights_errors
from fixlip_core.errors import UnknownModelError, WeightsDigestError, WeightsNotFoundError


def test_what_names_stand_for(tmp_path: Path) -> None:
    checkpoint = tmp_path / "weights.pt"
    checkpoint.touch()
    library = open_clip()
    assert resolve_source("demo", library).directory == demo_directory()
    assert resolve_source(str(demo_directory()), library) == resolve_source("demo", library)
    assert resolve_source("hf-hub:owner/name", library) == ModelSource("hf-hub:owner/name")
    assert resolve_source(f"ViT-B-32/{checkpoint}", library) == ModelSource("ViT-B-32", str(checkpoint))
    assert resolve_source("ViT-B-32/laion2b_s34b_b79k", library).directory is None


def test_quick_gelu_of_a_tag_is_honoured() -> None:
    assert resolve_source("ViT-B-32/openai", open_clip()).quick_gelu
    assert not resolve_source("ViT-B-32/laion2b_s34b_b79k", open_clip()).quick_gelu


def test_directories_without_config_or_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"no open_clip_config\.json"):
        resolve_source(str(tmp_path), open_clip())
    (tmp_path / "open_clip_config.json").write_text("{}")
    with pytest.raises(WeightsNotFoundError, match="has no weights"):
        resolve_source(f"local-dir:{tmp_path}", open_clip())


def test_digest_of_a_checkpoint_file(tmp_path: Path) -> None:
    checkpoint = tmp_path / "weights.safetensors"
    checkpoint.write_bytes(b"weights")
    source = ModelSource("ViT-B-32", str(checkpoint))
    check_digest(source, open_clip(), hashlib.sha256(b"weights").hexdigest())
    checkpoint.write_bytes(b"weight")
    with pytest.raises(WeightsDigestError, match=r"weights\.safetensors is"):
        check_digest(source, open_clip(), hashlib.sha256(b"weights").hexdigest())


def test_digest_of_what_came_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hub model, and of an architecture's tag that is kept there; offline."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    digest = hashlib.sha256(b"weights").hexdigest()
    for repository in ("models--owner--name", "models--timm--vit_base_patch32_clip_224.laion2b_e16"):
        snapshot = tmp_path / repository / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        (snapshot / "open_clip_model.safetensors").write_bytes(b"weights")
        (tmp_path / repository / "refs").mkdir()
        (tmp_path / repository / "refs" / "main").write_text("0" * 40)
    for source in (ModelSource("hf-hub:owner/name"), ModelSource("ViT-B-32", "laion2b_e16")):
        check_digest(source, open_clip(), digest)
        with pytest.raises(WeightsDigestError, match=f"is {digest}, not"):
            check_digest(source, open_clip(), "0" * 64)


def test_unknown_architectures_are_told_apart_from_missing_weights() -> None:
    with pytest.raises(UnknownModelError, match="did you mean"):
        resolve_source("ViT-B-23/openai", open_clip())
    with pytest.raises(WeightsNotFoundError, match="neither a file nor a pretrained tag"):
        resolve_source("ViT-B-32/no-such-tag", open_clip())


def test_any_error_of_loading_is_one_kind() -> None:
    with (
        pytest.raises(WeightsNotFoundError, match=r"weights of 'x' could not be loaded: first line second line$"),
        weights_errors("x"),
    ):
        raise RuntimeError("first line\nsecond line")
    with pytest.raises(WeightsNotFoundError, match=r": ZeroDivisionError$"), weights_errors("x"):
        raise ZeroDivisionError
    own = WeightsNotFoundError("as it is")
    with pytest.raises(WeightsNotFoundError) as caught, weights_errors("x"):
        raise own
    assert caught.value is own
