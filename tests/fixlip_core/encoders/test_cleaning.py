"""Cleaning is open_clip's own, mode by mode."""

from __future__ import annotations

import pytest

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.cleaning import CLEANINGS, Cleaning, clean

CAPTIONS = [
    "A red circle, and a blue_square!",
    "  Two&amp;amp;  LINES\n here\t",
    "naïve café &amp; résumé, “quoted” — dash",
    "Don't PANIC: it's 42 o'clock!! #tag_name",
    "schÃ¶n mojibake",
    "ﬁne ligatures, İstanbul, ﬀ",
    "_ _ __",
    "&lt;b&gt;bold&lt;/b&gt;",
    "x\x00y\x07z",
    "\ud800 lone",
    "日本語　テキスト",
    "",
]


@pytest.mark.parametrize("cleaning", CLEANINGS)
@pytest.mark.parametrize("caption", CAPTIONS)
def test_equal_to_open_clip(caption: str, cleaning: Cleaning) -> None:
    assert clean(caption, cleaning) == open_clip().tokenizer.get_clean_fn(cleaning)(caption)


def test_modes_differ() -> None:
    assert clean("A  red_circle!", "whitespace") == "A red_circle!"
    assert clean("A  red_circle!", "lower") == "a red_circle!"
    assert clean("A  red_circle!", "canonicalize") == "a red circle"
