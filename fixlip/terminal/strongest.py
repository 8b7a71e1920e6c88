"""The strongest players and pairs of an explanation: which they are, and a table of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from rich.table import Table
from rich.text import Text

from fixlip.terminal.scale import Scale
from fixlip.terminal.text import printable
from fixlip_core.explanation import Explanation
from fixlip_core.players import Players

__all__ = ["ROWS", "Entry", "name_of", "strongest_pairs", "strongest_players", "table"]

ROWS: Final = 10
"""As many as are shown unless more are asked for."""
_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """A player, or a pair of them, with its value; ``std_error`` is nan where there is none."""

    players: tuple[int, ...]
    value: float
    std_error: float


def strongest_players(explanation: Explanation, k: int) -> list[Entry]:
    """The ``k`` players of greatest absolute value.

    Of an attribution of order 1 half are of the image and half of the caption, whose values do not compare.
    """
    order = np.argsort(-np.abs(explanation.first), kind="stable")
    if not explanation.additive and explanation.order == 1:
        in_image = order < explanation.n_image
        order = np.concatenate([order[~in_image][: k // 2], order[in_image][: k - k // 2]])
    first, errors = explanation.first, explanation.first_std_error
    return [Entry((i,), float(first[i]), float(errors[i])) for i in order[:k].tolist()]


def strongest_pairs(explanation: Explanation, k: int, *, player: int | None = None) -> list[Entry]:
    """The ``k`` pairs of greatest absolute value: of a word and a part of the image, or all that ``player`` is in."""
    if player is None:
        pairs = explanation.top_interactions(k, cross_modal=True)
        return [Entry(pair.players, pair.value, pair.std_error) for pair in pairs]
    values, errors = explanation.second[player], explanation.second_std_error[player]
    order = np.argsort(-np.abs(values), kind="stable")
    order = order[order != player][:k]
    return [Entry((player, other), float(values[other]), float(errors[other])) for other in order.tolist()]


def name_of(players: Players, player: int) -> str:
    """A word, with its number where the caption has it more than once; a patch's (row, column); a region's label."""
    if players.is_image(player):
        return players.label(player) if players.regions else str(players.position(player))
    index = player - players.n_image
    text = players.tokens[index]
    return text if players.tokens.count(text) == 1 else f"{text} (token {index})"


def table(explanation: Explanation, entries: Sequence[Entry], scale: Scale, *, title: str) -> Table:
    """A row for each entry: its word and its part of the image, with its value, and its colour where there are any."""
    players = explanation.players
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold", header_style="dim")
    if scale.shades:
        shown.add_column("", width=2)
    for heading in ("word", "region" if explanation.regions else "patch (row, column)"):
        shown.add_column(heading, overflow="fold")
    shown.add_column(Text(_measure(explanation)), justify="right")
    for entry in entries:
        swatch = (Text("  ", style=scale.style(entry.value)),) if scale.shades else ()
        shown.add_row(*swatch, *_members(players, entry.players), Text(_measured(entry, scale)))
    return shown


def _members(players: Players, members: Sequence[int]) -> tuple[Text, Text]:
    """The entry's words, and its parts of the image."""
    words = [name_of(players, player) for player in members if not players.is_image(player)]
    places = [name_of(players, player) for player in members if players.is_image(player)]
    return Text(printable(", ".join(words))), Text(printable(", ".join(places)))


def _measure(explanation: Explanation) -> str:
    if not explanation.additive:
        return f"attribution ({printable(explanation.index)})"
    return f"value \N{PLUS-MINUS SIGN} standard error ({printable(explanation.score)})"


def _measured(entry: Entry, scale: Scale) -> str:
    error = scale.number(entry.std_error, at_least=_DECIMALS).lstrip("+")
    value = scale.number(entry.value, at_least=_DECIMALS)
    return value if math.isnan(entry.std_error) else f"{value} \N{PLUS-MINUS SIGN} {error}"
