"""The caption as a line of boxes, one for each token, wrapped to the width of the sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixlip_core.rendering import style
from fixlip_core.rendering.text import as_written, drawable, elided, width_px

__all__ = ["LINE_PX", "Word", "bottom_of", "lay_out_words"]

LINE_PX = 46
PADDING_PX = 9
SPACE_PX = 7


@dataclass(frozen=True, slots=True)
class Word:
    """A token's box on the sheet, in pixels from the top left; ``line`` counts from 0.

    ``text`` is what is drawn of it, ``written`` the same with the characters that the font lacks.
    """

    text: str
    written: str
    left: float
    top: float
    width: float
    line: int

    @property
    def centre(self) -> float:
        """Horizontal centre."""
        return self.left + self.width / 2

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.top + LINE_PX


def lay_out_words(
    tokens: Sequence[str],
    *,
    top: float,
    left: float = style.MARGIN_PX,
    width: float = style.WIDTH_PX - 2 * style.MARGIN_PX,
    leading_px: float = 10,
    centred_over: float = 0,
) -> tuple[Word, ...]:
    """Place ``tokens`` in reading order in lines of at most ``width``, ``leading_px`` apart.

    Lines shorter than ``centred_over`` are centred within that width, others begin at ``left``.
    """
    lines: list[list[tuple[str, str, float]]] = [[]]
    used = 0.0
    for token in tokens:
        text = elided(drawable(token), style.WORD_PT, width - 2 * PADDING_PX)
        box = width_px(text, style.WORD_PT) + 2 * PADDING_PX
        if lines[-1] and used + SPACE_PX + box > width:
            lines.append([])
            used = 0.0
        used += box + (SPACE_PX if lines[-1] else 0)
        lines[-1].append((text, as_written(text, token), box))
    words = []
    for number, line in enumerate(lines):
        length = sum(box for *_, box in line) + SPACE_PX * (len(line) - 1)
        x = left + max(0.0, (centred_over - length) / 2)
        for text, written, box in line:
            words.append(Word(text, written, x, top + number * (LINE_PX + leading_px), box, number))
            x += box + SPACE_PX
    return tuple(words)


def bottom_of(words: Sequence[Word], *, top: float) -> float:
    """Lower edge of the last line; ``top`` where there are no words."""
    return max((word.bottom for word in words), default=top)
