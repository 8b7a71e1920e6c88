"""Captions: cleaning, checks and agreement with open_clip's own tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixlip_core.captions import clean_caption, content_tokens, tokenize_caption
from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.tokenizer import CLIP_BPE, load_tokenizer
from fixlip_core.errors import InvalidCaptionError, TokenizerNotFoundError, UnsupportedModelError
from tests.support.small_tokenizers import write_siglip_tokenizer

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
    assert (marks.before, marks.after) == ((theirs.sot_token_id,), (theirs.eot_token_id,))


def test_tokens_read_as_the_caption_does() -> None:
    assert content_tokens("A RED   circle!", tokenizer=CLIP_BPE, max_tokens=75) == ("a", "red", "circle", "!")


def test_written_out_marks_do_not_end_the_caption() -> None:
    tokens = tokenize_caption("a red <end_of_text> circle", tokenizer=CLIP_BPE, max_tokens=75)
    assert load_tokenizer(CLIP_BPE).after[-1] not in tokens.ids
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


class TestOtherTokenizers:
    @staticmethod
    def name(folder: Path, cleaning: str = "canonicalize") -> str:
        return f"{cleaning}:{write_siglip_tokenizer(folder)}"

    def test_captions_are_cleaned_as_the_tokenizer_says(self, tmp_path: Path) -> None:
        name = self.name(tmp_path)
        assert clean_caption("A Red_circle, &amp; more!", tokenizer=name) == "a red circle more"
        plain, noisy = (
            tokenize_caption(caption, tokenizer=name, max_tokens=15) for caption in ("a red circle", "A red: Circle!")
        )
        assert plain == noisy

    @pytest.mark.parametrize(
        ("caption", "code"),
        [(" ", "caption_empty"), ("?!, ...", "caption_without_words"), ("a red circle " * 4, "caption_too_long")],
    )
    def test_unusable_captions_are_refused_by_code(self, tmp_path: Path, caption: str, code: str) -> None:
        with pytest.raises(InvalidCaptionError) as caught:
            content_tokens(caption, tokenizer=self.name(tmp_path), max_tokens=15)
        assert caught.value.code == code

    def test_a_caption_cannot_end_itself_early(self, tmp_path: Path) -> None:
        """Unigram vocabularies have </s> among their pieces; canonical captions have no room for it."""
        with pytest.raises(InvalidCaptionError) as caught:
            content_tokens("a red </s> circle", tokenizer=self.name(tmp_path, "whitespace"), max_tokens=15)
        assert caught.value.code == "caption_has_marks"
        assert "".join(content_tokens("a red </s>", tokenizer=self.name(tmp_path), max_tokens=15)).endswith("s")

    def test_without_the_file_all_other_checks_come_first(self, tmp_path: Path) -> None:
        name = f"canonicalize:{tmp_path}/tokenizer.json"
        with pytest.raises(InvalidCaptionError, match="no words"):
            content_tokens("?!", tokenizer=name, max_tokens=15)
        with pytest.raises(TokenizerNotFoundError):
            content_tokens("a red circle", tokenizer=name, max_tokens=15)
