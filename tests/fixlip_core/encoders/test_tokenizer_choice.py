"""Which tokenizer a config asks for, and where it is found: given, in the model's directory, or in the hub's cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.tokenizer import load_tokenizer
from fixlip_core.encoders.tokenizer_choice import choose_tokenizer
from fixlip_core.errors import TokenizerNotFoundError, UnsupportedModelError
from tests.support.small_tokenizers import write_bert_tokenizer, write_siglip_tokenizer

SIGLIP = {"hf_tokenizer_name": "timm/ViT-B-16-SigLIP", "tokenizer_kwargs": {"clean": "canonicalize"}}
CLIPA = {"hf_tokenizer_name": "bert-base-uncased", "tokenizer_kwargs": {"strip_sep_token": True}}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ({}, "clip-bpe"),
        ({"hf_tokenizer_name": ""}, "clip-bpe"),
        ({"tokenizer_kwargs": {"clean": "whitespace"}}, "whitespace:clip-bpe"),
        ({"tokenizer_kwargs": {"reduction_mask": "syntax"}}, "clip-bpe"),
    ],
)
def test_clips_own(text: dict[str, Any], name: str) -> None:
    assert choose_tokenizer(text) == name


def test_in_the_models_directory(tmp_path: Path) -> None:
    path = write_siglip_tokenizer(tmp_path)
    assert choose_tokenizer(SIGLIP, directory=tmp_path) == f"canonicalize:{path}"
    path = write_bert_tokenizer(tmp_path)
    assert choose_tokenizer(CLIPA, directory=tmp_path) == f"whitespace+strip-sep:{path}"


def test_given_one_wins_and_keeps_the_configs_cleaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_siglip_tokenizer(tmp_path / "elsewhere")
    for given in (str(path), str(path.parent)):
        assert choose_tokenizer(SIGLIP, directory=tmp_path, given=given) == f"canonicalize:{path}"
    assert choose_tokenizer(SIGLIP, given=f"lower:{path}") == f"lower:{path}"
    assert choose_tokenizer(SIGLIP, given="lower:clip-bpe") == "clip-bpe"
    monkeypatch.chdir(tmp_path)
    assert choose_tokenizer(SIGLIP, given="elsewhere") == f"canonicalize:{path}"


def test_absent_ones_are_told(tmp_path: Path) -> None:
    with pytest.raises(TokenizerNotFoundError, match="put that of timm/ViT-B-16-SigLIP there"):
        choose_tokenizer(SIGLIP, directory=tmp_path)
    with pytest.raises(TokenizerNotFoundError, match="is not there"):
        choose_tokenizer(SIGLIP, given=str(tmp_path / "other.json"))


@pytest.mark.parametrize("companion", [True, False])
def test_from_the_hubs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, companion: bool) -> None:
    """Offline, with what an earlier download left there."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    repository, revision = tmp_path / "models--timm--ViT-B-16-SigLIP", "0" * 40
    path = write_siglip_tokenizer(repository / "snapshots" / revision)
    if not companion:
        settings = json.loads(path.read_text())
        settings["padding"] = {
            "strategy": {"Fixed": 64},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 1,
            "pad_type_id": 0,
            "pad_token": "</s>",
        }
        path.write_text(json.dumps(settings))
        path.with_name("tokenizer_config.json").unlink()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    name = choose_tokenizer(SIGLIP)
    assert name == f"canonicalize:{path}"
    assert load_tokenizer(name).pad_id == 1


def test_what_cannot_be_fetched_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(TokenizerNotFoundError, match=r"'timm/ViT-B-16-SigLIP'.*name a local tokenizer\.json"):
        choose_tokenizer(SIGLIP)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ({**SIGLIP, "tokenizer_mode": "clips"}, "tokenizer_mode=clips"),
        ({**SIGLIP, "tokenizer_kwargs": {"language": "fra_Latn"}}, "language"),
        ({"tokenizer_kwargs": {"clean": "thoroughly"}}, "clean=thoroughly"),
    ],
)
def test_options_that_are_not_known_are_named(text: dict[str, Any], option: str) -> None:
    with pytest.raises(UnsupportedModelError, match=option):
        choose_tokenizer(text)


def test_every_config_that_open_clip_ships_is_understood(tmp_path: Path) -> None:
    write_bert_tokenizer(tmp_path)
    library = open_clip()
    names = {name: library.get_model_config(name)["text_cfg"] for name in library.list_models()}
    chosen = {name: choose_tokenizer(text, directory=tmp_path) for name, text in names.items()}
    assert chosen["ViT-B-32"] == "clip-bpe"
    assert chosen["ViT-B-16-SigLIP2"].startswith("canonicalize:")
    assert chosen["ViT-L-14-CLIPA"].startswith("whitespace+strip-sep:")
