"""How captions are cleaned before they are split into tokens: open_clip's modes, without torch."""

from __future__ import annotations

import html
import string
from collections.abc import Callable
from typing import Final, Literal, TypeAlias, get_args

__all__ = ["CLEANINGS", "Cleaning", "clean"]

Cleaning: TypeAlias = Literal["canonicalize", "lower", "whitespace"]
"""Without punctuation and in lower case (SigLIP); in lower case (CLIP); as written."""

CLEANINGS: Final[tuple[Cleaning, ...]] = get_args(Cleaning)
_NO_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def clean(text: str, cleaning: Cleaning) -> str:
    """``text`` repaired, its entities decoded and its white space folded, then as ``cleaning`` says.

    Equal to open_clip's ``get_clean_fn(cleaning)(text)``, so that the tokens are those that the model was trained on.
    """
    import ftfy  # most processes that know how captions are cleaned never clean one, and it is slow to import

    repaired = html.unescape(html.unescape(ftfy.fix_text(text)))
    return _STEPS[cleaning](repaired)


def _fold(text: str) -> str:
    return " ".join(text.split())


def _canonicalize(text: str) -> str:
    return _fold(text.replace("_", " ").translate(_NO_PUNCTUATION).lower())


_STEPS: Final[dict[Cleaning, Callable[[str], str]]] = {
    "canonicalize": _canonicalize,
    "lower": lambda text: _fold(text).lower(),
    "whitespace": _fold,
}
