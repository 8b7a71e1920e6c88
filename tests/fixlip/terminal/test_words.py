from __future__ import annotations

import numpy as np
import pytest
from rich.cells import cell_len

from fixlip.terminal.scale import Scale, Shades
from fixlip.terminal.words import Caption
from tests.support.consoles import a_console, columns_of, printed, signed, without_codes

TOKENS = ("a", "日本語", "\x1b[31mred", "[bold]x", "🎉", "extraordinarily", "dog")
VALUES = np.array([0.25, -1.0, 0.5, 1.0, 0.0, -0.375, np.nan])


@pytest.mark.parametrize("width", [8, 20, 60, 80])
@pytest.mark.parametrize("colours", ["truecolor", None])
def test_every_word_stands_over_its_value(width: int, colours: str | None) -> None:
    console = a_console(width=width, colours="truecolor" if colours else None)
    console.print(Caption(TOKENS, VALUES, Scale(1.0, shades=Shades.MANY if colours else Shades.NONE)))
    lines = without_codes(console)
    assert columns_of(console) <= width
    values = " ".join(lines[1::3]).split()
    assert values == ["+0.25", signed("-1.00"), "+0.50", "+1.00", "0", signed("-0.38"), "?"]
    assert "\x1b[31m" not in printed(console)
    if width >= 20:
        words = " ".join(lines[::3]).split()
        assert words == ["a", "日本語", "␛[31mred", "[bold]x", "🎉", "extraordinarily", "dog"]


def test_values_are_centred_below_their_words() -> None:
    console = a_console(colours=None)
    console.print(Caption(TOKENS, VALUES, Scale(1.0, shades=Shades.NONE)))
    words, values = without_codes(console)[:2]
    begin = cell_len(words.partition("extraordinarily")[0])
    shown = values.split()[5]
    middle = cell_len(values.partition(shown)[0]) + cell_len(shown) / 2
    assert abs(middle - (begin + len("extraordinarily") / 2)) <= 1


def test_the_word_that_it_is_about_has_no_value() -> None:
    console = a_console()
    console.print(Caption(("red", "dog"), np.array([np.nan, 1.0]), Scale(1.0, shades=Shades.MANY), chosen=0))
    words, values = without_codes(console)
    assert (words.split(), values.split()) == (["red", "dog"], ["+1.00"])
    assert "\x1b[1;7m" in printed(console)
