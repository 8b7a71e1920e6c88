"""The text players that several explanations have in common: tokens where they are the same, else words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from fixlip_core.errors import NotComparableError
from fixlip_core.types import FloatArray

__all__ = ["CommonText", "align_text"]


@dataclass(frozen=True, slots=True, eq=False)
class CommonText:
    """Text players that all explanations share.

    Attributes:
        tokens: their texts.
        shares: of each explanation, (common players, its players) how much of each player's value each common one has.
        notes: what was done to the values.
    """

    tokens: tuple[str, ...]
    shares: tuple[FloatArray, ...]
    notes: tuple[str, ...] = ()


def align_text(caption: str | None, tokens: Sequence[tuple[str, ...]]) -> CommonText:
    """The common text players of explanations with these ``tokens``.

    Where they differ, they are those of different tokenizers, or words: then the caption's words are the players, and
    a word's value is the sum of its tokens'. A token that reaches over several words is shared out by its characters.
    Punctuation, which not every tokenizer has, goes with the word before it.

    Args:
        caption: the caption, as it was submitted; None where it is not known.
        tokens: of each explanation, its text players in reading order.

    Raises:
        NotComparableError: tokens differ, and the caption is not known or has no words.
    """
    if all(each == tokens[0] for each in tokens):
        return CommonText(tokens[0], (np.eye(len(tokens[0])),) * len(tokens))
    if caption is None:
        raise NotComparableError("the explanations have different tokens, and their caption is not known")
    words = _words(caption)
    if not words:
        raise NotComparableError("the explanations have different tokens, and their caption has no words")
    shares = tuple(_shares(words, each) for each in tokens)
    note = "the explanations have different text players: a word's value is the sum of its tokens' values"
    return CommonText(words, shares, (note,))


def _words(caption: str) -> tuple[str, ...]:
    """What is between white space, without punctuation at its ends; what is nothing else is no word."""
    words = []
    for part in caption.split():
        solid = [k for k, character in enumerate(part) if _plain(character)]
        if solid:
            words.append(part[solid[0] : solid[-1] + 1])
    return tuple(words)


def _plain(text: str) -> str:
    """The letters and digits of ``text``, whatever their case and form: what all tokenizers' cleaning leaves."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def _shares(words: tuple[str, ...], tokens: tuple[str, ...]) -> FloatArray:
    """(words, tokens) how much of each token belongs to each word, by its characters."""
    word_of = [index for index, word in enumerate(words) for _ in _plain(word)]
    token_of = [index for index, token in enumerate(tokens) for _ in _plain(token)]
    spelled = "".join(map(_plain, words)), "".join(map(_plain, tokens))
    shares = np.zeros((len(words), len(tokens)))
    for in_words, in_tokens, length in SequenceMatcher(None, *spelled, autojunk=False).get_matching_blocks():
        for k in range(length):
            shares[word_of[in_words + k], token_of[in_tokens + k]] += 1.0
    before = 0
    for index in range(len(tokens)):
        if not shares[:, index].any():
            shares[before, index] = 1.0
        before = int(np.flatnonzero(shares[:, index])[-1])
    return np.asarray(shares / shares.sum(axis=0))
