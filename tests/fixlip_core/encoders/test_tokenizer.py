"""Captions to lines of ids: framed, padded and named as the model families do it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.cleaning import Cleaning
from fixlip_core.encoders.tokenizer import CLIP_BPE, TokenizerName, load_tokenizer
from fixlip_core.errors import TokenizerNotFoundError, UnsupportedModelError
from tests.support.small_tokenizers import write_bert_tokenizer, write_siglip2_tokenizer, write_siglip_tokenizer

CAPTION = "a red circle and the naïve dogs"
WRITERS = {"siglip": write_siglip_tokenizer, "siglip2": write_siglip2_tokenizer, "bert": write_bert_tokenizer}


@pytest.fixture(params=sorted(WRITERS))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return WRITERS[request.param](tmp_path)


@pytest.mark.parametrize(
    ("write", "marks", "before", "after", "pad"),
    [
        (write_siglip_tokenizer, (None, "</s>"), (), (1,), 1),
        (write_siglip2_tokenizer, (None, "<eos>"), (), (1,), 0),
        (write_bert_tokenizer, ("[CLS]", "[SEP]"), (2,), (3,), 0),
    ],
    ids=["siglip", "siglip2", "bert"],
)
def test_lines_are_framed_like_the_family(
    tmp_path: Path,
    write: Callable[[Path], Path],
    marks: tuple[str | None, str],
    before: tuple[int, ...],
    after: tuple[int, ...],
    pad: int,
) -> None:
    """Against the tokenizers package used by hand: pieces, the family's marks, padding to the context."""
    path = write(tmp_path)
    raw = Tokenizer.from_file(str(path))
    tokenizer = load_tokenizer(str(path))
    tokens = tokenizer.encode(CAPTION)
    assert list(tokens.ids) == raw.encode(CAPTION, add_special_tokens=False).ids
    framed = [*(raw.token_to_id(mark) for mark in marks[:1] if mark), *tokens.ids, raw.token_to_id(marks[1])]
    line = tokenizer.line(tokens.ids, length=40)
    assert list(line.ids) == framed + [pad] * (40 - len(framed))
    assert [line.ids[position] for position in line.content] == list(tokens.ids)
    assert tokenizer.line(tokens.ids).ids == tuple(framed)
    assert (tokenizer.before, tokenizer.after, tokenizer.pad_id) == (before, after, pad)
    assert tokenizer.n_marks == len(before) + len(after)


def test_clips_line_is_that_of_open_clip() -> None:
    tokenizer = load_tokenizer(CLIP_BPE)
    line = tokenizer.line(tokenizer.encode("a red circle").ids, length=20)
    assert list(line.ids) == open_clip().SimpleTokenizer(context_length=20)(["a red circle"])[0].tolist()
    assert line.content == (1, 2, 3)
    assert tokenizer.n_marks == 2


def test_a_line_may_be_filled_from_the_left(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(write_siglip2_tokenizer(tmp_path, padding_side="left")))
    ids = tokenizer.encode(CAPTION).ids
    line = tokenizer.line(ids, length=30)
    assert line.ids == (0,) * (29 - len(ids)) + ids + (1,)
    assert tuple(line.ids[position] for position in line.content) == ids


def test_pieces_read_as_the_caption_does(path: Path) -> None:
    tokens = load_tokenizer(str(path)).encode(CAPTION)
    assert all(text.strip() == text and text for text in tokens.texts)
    assert "".join(text for text in tokens.texts if text != "▁") == CAPTION.replace(" ", "")
    for text, (start, stop) in zip(tokens.texts, tokens.spans, strict=True):
        assert CAPTION[start:stop] == text.removeprefix("▁")
    assert list(tokens.spans) == sorted(tokens.spans)


@pytest.mark.parametrize("mark", ["<eos>", "<bos>", "<pad>"])
def test_marks_that_a_caption_spells_out_stay_text(tmp_path: Path, mark: str) -> None:
    tokenizer = load_tokenizer(str(write_siglip2_tokenizer(tmp_path)))
    tokens = tokenizer.encode(f"a red {mark} circle")
    assert tokenizer.backend.token_to_id(mark) not in tokens.ids
    assert "".join(tokens.texts).replace("▁", "") == f"ared{mark}circle"


def test_a_separator_is_blanked_where_the_name_says_so(tmp_path: Path) -> None:
    path = write_bert_tokenizer(tmp_path)
    kept, blanked = (load_tokenizer(f"whitespace{option}:{path}") for option in ("", "+strip-sep"))
    assert kept.line((7,), length=5).ids == (2, 7, 3, 0, 0)
    assert blanked.line((7,), length=5).ids == (2, 7, 0, 0, 0)
    assert blanked.n_marks == 2


@pytest.mark.parametrize(
    ("name", "source", "cleaning", "strip"),
    [
        ("clip-bpe", "clip-bpe", "lower", False),
        ("canonicalize:clip-bpe", "clip-bpe", "canonicalize", False),
        ("/models/tokenizer.json", "/models/tokenizer.json", "whitespace", False),
        ("canonicalize:/models/tokenizer.json", "/models/tokenizer.json", "canonicalize", False),
        ("whitespace+strip-sep:/models/tokenizer.json", "/models/tokenizer.json", "whitespace", True),
        ("C:/models/tokenizer.json", "C:/models/tokenizer.json", "whitespace", False),
    ],
)
def test_names_have_parts(name: str, source: str, cleaning: Cleaning, strip: bool) -> None:
    parts = TokenizerName.parse(name)
    assert parts == TokenizerName(source=source, cleaning=cleaning, strip_separator=strip)
    assert TokenizerName.parse(str(parts)) == parts


def test_clips_name_is_short() -> None:
    assert str(TokenizerName.parse(CLIP_BPE)) == CLIP_BPE


def test_a_name_means_the_same_in_another_process(path: Path) -> None:
    """And reading it there needs neither torch nor transformers."""
    name = f"canonicalize:{path}"
    code = (
        "import sys; from fixlip_core.captions import tokenize_caption\n"
        f"print(tokenize_caption({CAPTION!r}, tokenizer={name!r}, max_tokens=30).ids)\n"
        "assert not {'torch', 'open_clip', 'transformers'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(load_tokenizer(name).encode(CAPTION).ids)


def test_absent_files_and_unknown_names_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(TokenizerNotFoundError, match=r"tokenizer\.json is not there"):
        load_tokenizer(f"canonicalize:{tmp_path}/tokenizer.json")
    with pytest.raises(UnsupportedModelError, match="'other'"):
        load_tokenizer("other")
