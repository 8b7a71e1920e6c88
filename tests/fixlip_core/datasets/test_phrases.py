from __future__ import annotations

import pytest

from fixlip_core.datasets.phrases import find_phrases


def named(text: str, *phrases: str) -> dict[str, list[str]]:
    return {phrase: [text[a:b] for a, b in spans] for phrase, spans in find_phrases(text, phrases).items()}


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("a dog on a bench", "dog", ["dog"]),
        ("Two Dogs and a dog.", "dog", ["Dogs", "dog"]),
        ("three buses", "bus", ["buses"]),
        ("a  red\ncircle", "red circle", ["red\ncircle"]),
        ("a dogged hotdog", "dog", []),
        ("a (dog)", "dog", ["dog"]),
        ("c++ and c", "c++", ["c++"]),
    ],
)
def test_whole_words_in_singular_and_plural(text: str, phrase: str, found: list[str]) -> None:
    assert named(text, phrase) == ({phrase: found} if found else {})


def test_a_longer_phrase_takes_its_words_away() -> None:
    assert named("a hot dog for the dog", "dog", "hot dog", "cat") == {"hot dog": ["hot dog"], "dog": ["dog"]}
    assert named("one hot dog", "dog", "hot dog") == {"hot dog": ["hot dog"]}
