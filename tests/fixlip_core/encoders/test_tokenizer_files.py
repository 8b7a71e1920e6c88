"""Reading tokenizer files: the companions' word, and files that are damaged or say too little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from fixlip_core.encoders.tokenizer_files import read_tokenizer_file
from fixlip_core.errors import TokenizerNotFoundError, UnsupportedModelError
from tests.support.small_tokenizers import write_bert_tokenizer, write_siglip2_tokenizer, write_siglip_tokenizer


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [
        ({"add_bos_token": False, "add_eos_token": True}, (), (1,)),
        ({"add_bos_token": True, "add_eos_token": False}, (2,), ()),
        ({"add_bos_token": True, "add_eos_token": True}, (2,), (1,)),
        ({"tokenizer_class": "GPT2Tokenizer"}, (2,), ()),
    ],
)
def test_gemmas_flags_overrule_the_file(
    tmp_path: Path, flags: dict[str, Any], before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    """The file itself frames with <bos> alone; other classes leave it at that."""
    read = read_tokenizer_file(write_siglip2_tokenizer(tmp_path, **flags))
    assert (read.before, read.after) == (before, after)


def test_gemma_is_filled_from_the_left_unless_told_otherwise(tmp_path: Path) -> None:
    path = write_siglip2_tokenizer(tmp_path)
    assert not read_tokenizer_file(path).pads_left
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    del config["padding_side"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    assert read_tokenizer_file(path).pads_left


def test_marks_are_read_from_the_map_too(tmp_path: Path) -> None:
    read = read_tokenizer_file(write_bert_tokenizer(tmp_path))
    assert (read.pad_id, read.separator_id, read.pads_left) == (0, 3, False)


def test_padding_and_cutting_of_the_file_itself_are_read_and_switched_off(tmp_path: Path) -> None:
    """Without companions the file's own padding counts; neither it nor a limit touches a caption's pieces."""
    path = write_siglip_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    backend = Tokenizer.from_file(str(path))
    backend.enable_padding(pad_id=1, pad_token="</s>", length=64)
    backend.enable_truncation(2)
    backend.save(str(path))
    read = read_tokenizer_file(path)
    assert (read.before, read.after, read.pad_id) == ((), (1,), 1)
    assert 2 < len(read.backend.encode("a red circle and a blue square", add_special_tokens=False)) < 64


def test_without_padding_it_is_refused(tmp_path: Path) -> None:
    path = write_siglip_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    with pytest.raises(UnsupportedModelError, match="names no padding"):
        read_tokenizer_file(path)


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_damaged_files_are_told(tmp_path: Path, file: str, content: str) -> None:
    path = write_siglip_tokenizer(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises((TokenizerNotFoundError, UnsupportedModelError), match=r"tokenizer\.json"):
        read_tokenizer_file(path)


def test_absent_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(TokenizerNotFoundError, match="is not there"):
        read_tokenizer_file(tmp_path / "tokenizer.json")
