"""The caption on a terminal: every word on the colour of its value, with the value below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from rich.text import Text

from fixlip.terminal.scale import Scale
from fixlip.terminal.text import cut
from fixlip_core.types import FloatArray

__all__ = ["Caption"]

_GAP: Final = " "
_CHOSEN: Final = Style(bold=True, reverse=True)


@dataclass(frozen=True)
class Caption:
    """The words in reading order, wrapped to the console's width.

    Args:
        tokens: the words or parts of words.
        values: (tokens,) one for each.
        scale: on which they are.
        chosen: a word that is what the values are about, and has none itself.
    """

    tokens: Sequence[str]
    values: FloatArray
    scale: Scale
    chosen: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Two lines for every line of words, a blank one between."""
        words, numbers = Text(), Text()
        for index, (token, value) in enumerate(zip(self.tokens, self.values.tolist(), strict=True)):
            shown = "" if index == self.chosen else self.scale.number(value)
            name = cut(token, max(options.max_width - 2, 1))
            width = min(max(cell_len(name) + 2, len(shown)), options.max_width)
            if words and words.cell_len + len(_GAP) + width > options.max_width:
                yield from (words, numbers, Text())
                words, numbers = Text(), Text()
            if words:
                words.append(_GAP)
                numbers.append(_GAP)
            words.append(_centred(name, width), _CHOSEN if index == self.chosen else self.scale.style(value))
            numbers.append(_centred(shown, width), "dim")
        yield from (words, numbers)


def _centred(text: str, width: int) -> str:
    left = (width - cell_len(text)) // 2
    return " " * left + text + " " * (width - left - cell_len(text))
