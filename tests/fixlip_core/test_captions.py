"""Captions: cleaning, checks and agreement with open_clip's own tokenizer."""

from __future__ import annotations

import pytest

from fixlip_core.captions import clean_caption, content_tokens, tokenize_caption
from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.tokenizer import CLIP_BPE, load_tokenizer
from fixlip_core.errors import InvalidCaptionError, UnsupportedModelError

CAPTIONS = [
    "a red circle and a blue square",
    "Don't PANIC: it's 42 o'clock!!",
    "日本語 テキスト",
    "naïve café &amp; résumé, “quoted”",
    "supercalifragilisticexpialidocious",
    "🎉 party 🎉🎉",
    "a  b\tc\n d",
    "x\x00y\x07z",
    "\ud800 lone",
    "1234567890 a1b2",
    "&lt;b&gt; markup",
]


@pytest.mark.parametrize("caption", CAPTIONS)
def test_ids_are_those_of_open_clip(caption: str) -> None:
    theirs = open_clip().SimpleTokenizer()
    ours = tokenize_caption(caption, tokenizer=CLIP_BPE, max_tokens=75)
    assert list(ours.ids) == theirs.encode(theirs.clean_fn(caption))
    marks = load_tokenizer(CLIP_BPE)
    assert (marks.bos_id, marks.eos_id) == (theirs.sot_token_id, theirs.eot_token_id)


def test_tokens_read_as_the_caption_does() -> None:
    assert content_tokens("A RED   circle!", tokenizer=CLIP_BPE, max_tokens=75) == ("a", "red", "circle", "!")


def test_written_out_marks_do_not_end_the_caption() -> None:
    tokens = tokenize_caption("a red <end_of_text> circle", tokenizer=CLIP_BPE, max_tokens=75)
    assert load_tokenizer(CLIP_BPE).eos_id not in tokens.ids
    assert tokens.texts[-1] == "circle"


@pytest.mark.parametrize(
    ("caption", "code"),
    [
        ("", "caption_empty"),
        (" \t\n", "caption_empty"),
        ("🎉🎉", "caption_without_words"),
        ("?!...", "caption_without_words"),
        ("a " * 39, "caption_too_long"),
        ("x" * 2_001, "caption_too_long"),
    ],
)
def test_unusable_captions_are_refused_by_code(caption: str, code: str) -> None:
    with pytest.raises(InvalidCaptionError) as caught:
        content_tokens(caption, tokenizer=CLIP_BPE, max_tokens=38)
    assert caught.value.code == code
    assert caught.value.field == "caption"


def test_longest_caption_is_accepted() -> None:
    assert len(content_tokens("a " * 38, tokenizer=CLIP_BPE, max_tokens=38)) == 38


def test_cleaning_is_that_of_open_clip() -> None:
    assert clean_caption("  Two&amp;amp;  LINES\n here ") == "two& lines here"


def test_unknown_tokenizer_is_named() -> None:
    with pytest.raises(UnsupportedModelError, match="'other'"):
        load_tokenizer("other")
