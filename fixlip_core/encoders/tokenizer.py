"""Captions as token ids without torch, so that a service can count a caption's tokens.

A tokenizer has a name that means the same in another process: ``clip-bpe``, or the path of a ``tokenizer.json``,
either with the way captions are cleaned in front: ``canonicalize:/models/siglip/tokenizer.json``. With
``whitespace+strip-sep:`` the mark that separates sentences is blanked, as CLIPA's models were trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from fixlip_core.encoders.cleaning import CLEANINGS, Cleaning
from fixlip_core.encoders.clip_bpe import read_clip_bpe
from fixlip_core.encoders.tokenizer_files import read_tokenizer_file
from fixlip_core.errors import UnsupportedModelError

__all__ = ["CLIP_BPE", "CaptionTokenizer", "CaptionTokens", "TokenLine", "TokenizerName", "load_tokenizer"]

CLIP_BPE = "clip-bpe"
_STRIP_SEPARATOR = "+strip-sep"
_BLANK_ID = 0  # what open_clip writes over a separator, whatever the padding is


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerName:
    """What a tokenizer's name says.

    Attributes:
        source: ``clip-bpe``, or the path of a ``tokenizer.json``.
        cleaning: how captions are cleaned before.
        strip_separator: whether the mark that separates sentences is blanked.
    """

    source: str
    cleaning: Cleaning
    strip_separator: bool = False

    @classmethod
    def parse(cls, name: str) -> TokenizerName:
        """The parts of ``name``; without one of open_clip's cleanings in front, open_clip's default for the kind."""
        head, colon, rest = name.partition(":")
        for cleaning in CLEANINGS:
            if colon and head.removesuffix(_STRIP_SEPARATOR) == cleaning:
                return cls(source=rest, cleaning=cleaning, strip_separator=head.endswith(_STRIP_SEPARATOR))
        return cls(source=name, cleaning="lower" if name == CLIP_BPE else "whitespace")

    def __str__(self) -> str:
        if self == TokenizerName.parse(CLIP_BPE):
            return CLIP_BPE
        return f"{self.cleaning}{_STRIP_SEPARATOR if self.strip_separator else ''}:{self.source}"


@dataclass(frozen=True, slots=True)
class CaptionTokens:
    """Content tokens of a caption.

    Attributes:
        ids: in the vocabulary.
        texts: the piece of the cleaned caption that each stands for, without white space; where it stands for no
            character of its own, the vocabulary's piece.
        spans: (start, stop) of each piece in the cleaned caption; of a piece without text, the start of what follows.
    """

    ids: tuple[int, ...]
    texts: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TokenLine:
    """What a text tower reads: ``ids``, and at which positions the content tokens are."""

    ids: tuple[int, ...]
    content: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionTokenizer:
    """A tokenizer and the marks that the text tower was trained with.

    Attributes:
        backend: text to pieces.
        cleaning: how captions are cleaned before.
        before: ids in front of the content: CLIP's beginning, BERT's class; SigLIP has none.
        after: ids behind the content: the end.
        pad_id: fills the line, and takes a removed token's place.
        pads_left: whether the line is filled from the left.
    """

    backend: Tokenizer
    cleaning: Cleaning
    before: tuple[int, ...]
    after: tuple[int, ...]
    pad_id: int
    pads_left: bool = False

    @property
    def n_marks(self) -> int:
        """Positions of a line that no content token can take."""
        return len(self.before) + len(self.after)

    def encode(self, text: str) -> CaptionTokens:
        """The content tokens of an already cleaned caption (see :mod:`fixlip_core.captions`).

        Marks written out in the text, such as ``<end_of_text>``, are read as plain characters: a caption cannot end
        itself early.
        """
        encoding = self.backend.encode(text, add_special_tokens=False)
        spans = tuple(_without_space(text, *offsets) for offsets in encoding.offsets)
        texts = tuple(text[a:b] or piece for (a, b), piece in zip(spans, encoding.tokens, strict=True))
        return CaptionTokens(tuple(encoding.ids), texts, spans)

    def line(self, ids: tuple[int, ...], *, length: int | None = None) -> TokenLine:
        """The line of a caption with these content ids: marks around them, filled up to ``length`` if it is given."""
        marked = (*self.before, *ids, *self.after)
        padding = (self.pad_id,) * max(0, (length or 0) - len(marked))
        first = len(self.before) + (len(padding) if self.pads_left else 0)
        whole = padding + marked if self.pads_left else marked + padding
        return TokenLine(whole, tuple(range(first, first + len(ids))))


@cache
def load_tokenizer(name: str) -> CaptionTokenizer:
    """The tokenizer called ``name``.

    Raises:
        TokenizerNotFoundError: its file is not on this machine, or cannot be read.
        UnsupportedModelError: there is no such tokenizer, it has no padding, or open_clip's vocabulary is not
            installed.
    """
    parts = TokenizerName.parse(name)
    if parts.source == CLIP_BPE:
        backend = read_clip_bpe()
        end = backend.get_vocab_size() + 1
        return CaptionTokenizer(
            backend=backend, cleaning=parts.cleaning, before=(end - 1,), after=(end,), pad_id=_BLANK_ID
        )
    if not parts.source.endswith(".json"):
        raise UnsupportedModelError(
            f"tokenizer {name!r} is unknown: it is neither {CLIP_BPE!r} nor the path of a tokenizer.json"
        )
    read = read_tokenizer_file(Path(parts.source))
    tokenizer = CaptionTokenizer(
        backend=read.backend,
        cleaning=parts.cleaning,
        before=read.before,
        after=read.after,
        pad_id=read.pad_id,
        pads_left=read.pads_left,
    )
    if not parts.strip_separator:
        return tokenizer
    after = tuple(_BLANK_ID if mark == read.separator_id else mark for mark in read.after)
    return replace(tokenizer, after=after)


def _without_space(text: str, start: int, stop: int) -> tuple[int, int]:
    """The span without the white space at its ends, which sentencepiece counts to the word behind it."""
    piece = text[start:stop]
    begin = stop - len(piece.lstrip())
    return begin, begin + len(piece.strip())
