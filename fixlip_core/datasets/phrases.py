"""Where a text names things: whole words, in the singular or a regular plural."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["find_phrases"]


def find_phrases(text: str, phrases: Iterable[str]) -> dict[str, tuple[tuple[int, int], ...]]:
    """(start, stop) of every place where ``text`` names each of ``phrases``; those that it does not name are left out.

    The case does not matter. A longer phrase takes its words away from a shorter one: "a hot dog" names no dog.
    """
    taken: list[tuple[int, int]] = []
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for phrase in sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase)):
        words = r"\s+".join(map(re.escape, phrase.split()))
        pattern = re.compile(rf"(?<!\w){words}(?:s|es)?(?!\w)", re.IGNORECASE)
        spans = [match.span() for match in pattern.finditer(text)]
        free = tuple(span for span in spans if not any(_touch(span, other) for other in taken))
        taken.extend(free)
        if free:
            found[phrase] = free
    return found


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
