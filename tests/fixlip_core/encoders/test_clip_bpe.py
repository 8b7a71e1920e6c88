"""CLIP's encoding against open_clip's, piece by piece."""

from __future__ import annotations

import importlib.util

import pytest

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.clip_bpe import read_clip_bpe
from fixlip_core.errors import UnsupportedModelError


def test_vocabulary_is_that_of_open_clip() -> None:
    theirs = dict(open_clip().SimpleTokenizer().encoder)
    ours = read_clip_bpe().get_vocab()
    marks = {piece: theirs.pop(piece) for piece in ("<start_of_text>", "<end_of_text>")}
    assert ours == theirs
    assert sorted(marks.values()) == [len(ours), len(ours) + 1]


def test_without_open_clip_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedModelError, match="open_clip_torch"):
        read_clip_bpe()
