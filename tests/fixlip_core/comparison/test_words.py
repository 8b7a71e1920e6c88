from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.comparison.words import align_text
from fixlip_core.errors import NotComparableError


def groups(caption: str, tokens: tuple[str, ...], other: tuple[str, ...] = ("?",)) -> dict[str, list[str]]:
    """The tokens that are wholly of each word; of words that come twice, those of both."""
    common = align_text(caption, [tokens, other])
    found: dict[str, list[str]] = {word: [] for word in common.tokens}
    for index, token in enumerate(tokens):
        (word,) = np.flatnonzero(common.shares[0][:, index] == 1.0)
        found[common.tokens[word]].append(token)
    return found


def test_the_same_tokens_stay_what_they_are() -> None:
    common = align_text(None, [("un", "known"), ("un", "known")])
    assert (common.tokens, common.notes) == (("un", "known"), ())
    np.testing.assert_array_equal(common.shares[0], np.eye(2))


def test_other_tokenizers_meet_in_words() -> None:
    clip = ("a", "photo", "shopped", "t", "-", "shirt", ",", "red", ".")
    siglip = ("a", "photoshop", "ped", "tshirt", "red")
    caption = "A photoshopped T-shirt, red."
    assert groups(caption, clip, siglip) == {
        "A": ["a"],
        "photoshopped": ["photo", "shopped"],
        "T-shirt": ["t", "-", "shirt", ","],
        "red": ["red", "."],
    }
    common = align_text(caption, [clip, siglip])
    np.testing.assert_array_equal(
        common.shares[1], [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    )
    assert "a word's value is the sum" in common.notes[0]


def test_a_token_over_several_words_is_shared_out_by_characters() -> None:
    common = align_text("one three", [("one", "three"), ("onethree",)])
    np.testing.assert_allclose(common.shares[1][:, 0], [3 / 8, 5 / 8])


@pytest.mark.parametrize(
    ("caption", "tokens", "expected"),
    [
        ("dog dog dog", ("dog", "do", "g", "dog"), {"dog": ["dog", "do", "g", "dog"]}),
        ("“Quoted” words", ('"', "quoted", '"', "words"), {"Quoted": ['"', "quoted", '"'], "words": ["words"]}),
        ("cats &amp; dogs", ("cats", "&", "dogs"), {"cats": ["cats"], "amp": [], "dogs": ["dogs"]}),
        ("🎉🎉 party", ("🎉", "🎉", "party"), {"party": ["🎉", "🎉", "party"]}),
        ("ﬁne café", ("fine", "caf", "é"), {"ﬁne": ["fine"], "café": ["caf", "é"]}),
        ("赤い円", ("赤", "い", "円"), {"赤い円": ["赤", "い", "円"]}),
        ("5% - yes", ("5", "%", "-", "yes"), {"5": ["5", "%", "-"], "yes": ["yes"]}),
    ],
)
def test_any_caption(caption: str, tokens: tuple[str, ...], expected: dict[str, list[str]]) -> None:
    found = groups(caption, tokens)
    assert {word: list(given) for word, given in found.items()} | ({"amp": []} if "amp" in expected else {}) == {
        **expected,
        **({"cats": found["cats"]} if "amp" in expected else {}),
    }
    assert [token for word in found.values() for token in word] == list(tokens)


@pytest.mark.parametrize("tokens", [("a", "?", "circle"), ("lost",), ("", ""), ("\udcff", "red")])
def test_sums_stay_what_they_are(tokens: tuple[str, ...]) -> None:
    common = align_text("a red circle", [tokens, ("a", "red", "circle")])
    for share in common.shares:
        np.testing.assert_allclose(share.sum(axis=0), 1.0)


def test_what_cannot_be_brought_together() -> None:
    with pytest.raises(NotComparableError, match="caption is not known"):
        align_text(None, [("a",), ("b",)])
    with pytest.raises(NotComparableError, match="no words"):
        align_text("?!", [("?", "!"), ("?!",)])
