"""An explanation on a terminal: the caption and the patches in the colours of their values, and the strongest pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from rich.console import Console, RenderableType
from rich.text import Text

from fixlip.terminal.maps import Cells, Framed, Map, Maps, Picture
from fixlip.terminal.scale import MINUS, Scale, Shades
from fixlip.terminal.strongest import ROWS, Entry, name_of, strongest_pairs, strongest_players, table
from fixlip.terminal.text import plain, printable
from fixlip.terminal.words import Caption
from fixlip_core.explanation import Explanation
from fixlip_core.types import ImageArray

__all__ = ["Portrait", "entries_of", "show_facts", "show_portrait", "show_strongest"]

_MOST_WORDS: Final = 3
"""Whose maps are shown when none is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What of an explanation is shown.

    Args:
        explanation: the whole of it.
        image: (h, w, 3) uint8, the view that the model saw; None to do without it.
        player: whose pairs are shown; None for main effects and the words that share most with the image.
        top: rows of the table.
        of_players: whether the table is of players rather than pairs.
    """

    explanation: Explanation
    image: ImageArray | None = None
    player: int | None = None
    top: int = ROWS
    of_players: bool = False


def show_portrait(console: Console, portrait: Portrait) -> None:
    """Print words, maps and table, within the width of the console and with as many colours as it has."""
    explanation = portrait.explanation
    parts = _overview(console, portrait) if portrait.player is None else _focus(console, portrait, portrait.player)
    for part in parts:
        console.print(part, highlight=False)
    console.print()
    show_strongest(console, portrait)
    console.print()
    show_facts(console, explanation)


def entries_of(portrait: Portrait) -> list[Entry]:
    """The rows of the table."""
    explanation = portrait.explanation
    if portrait.of_players or explanation.order == 1:
        return strongest_players(explanation, portrait.top)
    return strongest_pairs(explanation, portrait.top, player=portrait.player)


def show_strongest(console: Console, portrait: Portrait) -> None:
    """Print the table alone."""
    explanation, shades = portrait.explanation, Shades.of(console)
    if portrait.of_players or explanation.order == 1:
        title, values = "Strongest players", explanation.first
        shades = shades if _has_one_scale(explanation) else Shades.NONE
    else:
        title = "Strongest interactions" if explanation.additive else "Strongest pairs"
        values = explanation.cross if portrait.player is None else explanation.second[portrait.player]
    scale = Scale.of(values, shades=shades)
    console.print(table(explanation, entries_of(portrait), scale, title=title), highlight=False)


def show_facts(console: Console, explanation: Explanation) -> None:
    """Print what the model says of the whole pair and of nothing, and how faithful the values are where it is known."""
    values = f"v(full) = {explanation.full_value:.3f}, v(empty) = {explanation.empty_value:.3f}".replace("-", MINUS)
    passes = f"{explanation.image_passes} image and {explanation.text_passes} text passes"
    console.print(plain(f"{values}, from {passes}"), highlight=False)
    if not math.isnan(explanation.estimated_r2):
        r2 = f"R\N{SUPERSCRIPT TWO} = {explanation.estimated_r2:.4f}"
        console.print(plain(f"faithfulness, estimated (leave-one-out): {r2}"), highlight=False)


def _overview(console: Console, portrait: Portrait) -> list[RenderableType]:
    """Main effects of words and patches, and the maps of the words that share most with the image."""
    explanation, shades = portrait.explanation, Shades.of(console)
    patches, words = np.split(explanation.main_effects(), [explanation.n_image])
    noun, nouns = ("region", "regions") if explanation.regions else ("patch", "patches")
    of_patches, of_words = (Scale.of(part, shades=shades) for part in (patches, words))
    legends = [of_patches.legend(f"{nouns}, {_unit(explanation)}")]
    if shades and _has_one_scale(explanation):
        of_patches = of_words = Scale.of(patches, words, shades=shades)
        legends = [of_patches.legend(f"words and {nouns}, {_unit(explanation)}")]
    elif shades:
        legends.append(of_words.legend(f"words, {_unit(explanation)}"))
    maps: list[Framed] = _pictures(portrait, shades=shades)
    maps.append(Map(nouns, explanation.players.spread(patches), of_patches))
    of_pairs = Scale.of(explanation.cross, shades=shades)
    has_pairs = explanation.order > 1 and of_pairs.limit > 0
    cells = Cells.fitting(explanation.grid, shades=shades, width=console.width, beside=len(maps) + has_pairs)
    if cells is not None and has_pairs:
        room = max(cells.fit(console.width) - len(maps), 1)
        maps += _word_maps(explanation, of_pairs, at_most=min(room, _MOST_WORDS))
        legends.append(of_pairs.legend(f"word-{noun} pairs, {_unit(explanation)}"))
    caption = Caption(explanation.tokens, words, of_words)
    return [_heading(explanation), Text(), caption, Text(), *_mapped(cells, maps), Text(), *legends]


def _focus(console: Console, portrait: Portrait, player: int) -> list[RenderableType]:
    """The pairs of one player with every other, on one scale."""
    explanation = portrait.explanation
    values = explanation.second[player].copy()
    values[player] = np.nan
    scale = Scale.of(values, shades=Shades.of(console))
    players = explanation.players
    patches, words = np.split(values, [explanation.n_image])
    is_of_image = players.is_image(player)
    chosen = players.owners.reshape(players.grid) == player if is_of_image else None
    caption = Caption(explanation.tokens, words, scale, chosen=None if is_of_image else player - players.n_image)
    title = f"pairs with {printable(name_of(players, player))}"
    maps = [*_pictures(portrait, shades=scale.shades), Map(title, players.spread(patches), scale, chosen)]
    cells = Cells.fitting(explanation.grid, shades=scale.shades, width=console.width, beside=len(maps))
    legend = scale.legend(f"{title}, {_unit(explanation)}")
    return [_heading(explanation), Text(), caption, Text(), *_mapped(cells, maps), Text(), legend]


def _mapped(cells: Cells | None, maps: list[Framed]) -> list[RenderableType]:
    if cells is None:
        return [Text("the map of the patches needs a wider terminal", style="dim")]
    return [Maps(cells, maps)]


def _word_maps(explanation: Explanation, scale: Scale, *, at_most: int) -> list[Map]:
    """The maps of the words that share most with the image, in reading order."""
    share = np.abs(explanation.cross).sum(axis=0)
    strongest = sorted(islice(np.argsort(-share, kind="stable").tolist(), at_most))
    players = explanation.players
    return [
        Map(name_of(players, players.n_image + index), explanation.conditional(index), scale) for index in strongest
    ]


def _pictures(portrait: Portrait, *, shades: Shades) -> list[Framed]:
    return [Picture(portrait.image)] if portrait.image is not None and shades else []


def _heading(explanation: Explanation) -> Text:
    """How the values were found."""
    facts = [explanation.method, explanation.index]
    if not math.isnan(explanation.p):
        facts.append(f"p = {explanation.p:g}")
    facts.append(f"order {explanation.order}")
    model = explanation.provenance.get("model")
    return Text(printable(", ".join([*facts, str(model)] if model else facts)), style="dim")


def _has_one_scale(explanation: Explanation) -> bool:
    """Whether words and patches compare: they do not where the towers were attributed to one by one."""
    return explanation.additive or explanation.order > 1


def _unit(explanation: Explanation) -> str:
    return printable(explanation.score) if explanation.additive else "attribution"
