"""What figures are called, for people; with tokens as they are: escape them in markup."""

from __future__ import annotations

from fixlip_core.explanation import Explanation

__all__ = ["CURVES", "conditioned_title", "first_order_title", "graph_title", "words_title"]

CURVES = "Insertion and deletion curves"


def first_order_title(explanation: Explanation) -> str:
    """Of the heat map of single players."""
    parts = "regions" if explanation.regions else "patches"
    return f"Main effects of {parts} and words" if explanation.additive else f"Attribution to {parts} and words"


def graph_title(explanation: Explanation) -> str:
    """Of the graph of pairs."""
    return f"Strongest {_pairs(explanation)}"


def conditioned_title(explanation: Explanation, token_index: int) -> str:
    """Of the map of one token's pairs."""
    return f'{_pairs(explanation).capitalize()} with "{explanation.tokens[token_index]}"'


def words_title(explanation: Explanation) -> str:
    """Of the maps of all words."""
    return f"{_pairs(explanation).capitalize()} with every word"


def _pairs(explanation: Explanation) -> str:
    return "interactions" if explanation.additive else "attributed pairs"
