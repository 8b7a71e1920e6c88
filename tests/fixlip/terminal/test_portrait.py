from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fixlip.terminal.portrait import Portrait, entries_of, show_portrait
from fixlip_core.explanation import Explanation
from tests.support.consoles import a_console, columns_of, printed, signed, without_codes
from tests.support.explanations import attribution, example, pair_attribution, with_regions

VIEW = np.full((24, 24, 3), (10, 200, 30), dtype=np.uint8)
HOSTILE = ("\x1b[2J", "[/bold]:cat:", "\u202egnp\nexe")
CONSOLES: list[dict[str, Any]] = [
    {"colours": "truecolor"},
    {"colours": "256"},
    {"colours": "standard"},
    {"colours": "truecolor", "no_color": True},
    {"colours": None},
]


def large(grid: tuple[int, int] = (16, 16)) -> Explanation:
    """Twenty words."""
    rng = np.random.default_rng(0)
    n = grid[0] * grid[1] + 20
    second = np.triu(rng.normal(size=(n, n)), 1)
    nan = np.full((n, n), np.nan)
    tokens = tuple(f"word{k}" for k in range(20))
    return replace(
        example(),
        grid=grid,
        tokens=tokens,
        first=rng.normal(size=n),
        second=second + second.T,
        first_std_error=nan[0],
        second_std_error=nan,
    )


@pytest.mark.parametrize(("options", "width"), [*zip(CONSOLES, [80, 60, 60, 120, 80], strict=True)])
@pytest.mark.parametrize(
    "explanation",
    [example(), example(order=1), attribution(), pair_attribution(), with_regions(), large(), large((24, 24))],
    ids=["pairs", "players", "attribution", "pair-attribution", "regions", "large", "huge"],
)
def test_whatever_is_shown_is_within_the_width_and_has_signs_and_scale(
    explanation: Explanation, width: int, options: dict[str, Any]
) -> None:
    console = a_console(width=width, **options)
    show_portrait(console, Portrait(explanation=explanation, image=VIEW))
    lines = without_codes(console)
    assert columns_of(console) <= width
    for token in explanation.tokens:
        assert any(token in line for line in lines), token
    in_colour = options["colours"] in ("truecolor", "256") and not options.get("no_color")
    effects = explanation.main_effects()
    limit = np.abs(effects if in_colour else effects[: explanation.n_image]).max()
    if explanation.additive:
        assert any(f"+{limit:.2f}" in line and signed(f"-{limit:.2f}") in line for line in lines)
    assert any(line.startswith("v(full) = 7.250") for line in lines)
    codes = set(re.findall(r"\x1b\[([\d;]*)m", printed(console)))
    assert any("48;" in code for code in codes) is in_colour
    assert ("picture" in "\n".join(lines)) is in_colour
    if options["colours"] is None:
        assert "\x1b" not in printed(console)
    elif not in_colour:
        assert not any("38;" in code or "48;" in code for code in codes)


@pytest.mark.parametrize("options", CONSOLES)
@pytest.mark.parametrize("player", [None, 0, 6])
def test_hostile_words_stay_words(options: dict[str, Any], player: int | None) -> None:
    console = a_console(**options)
    show_portrait(console, Portrait(explanation=replace(example(), tokens=HOSTILE), player=player))
    text = "\n".join(without_codes(console))
    assert "\x1b[2J" not in printed(console)
    assert "\u202e" not in printed(console)
    for shown in ("␛[2J", "[/bold]:cat:", "gnp exe"):
        assert shown in text


def test_hostile_regions_and_provenance_too() -> None:
    console = a_console(colours=None)
    named = replace(with_regions(), region_labels=("\x1b[2J", "[red]", "c"), provenance={"model": "\x1b]0;m\x07"})
    show_portrait(console, Portrait(explanation=named))
    assert not set(printed(console)) & {"\x1b", "\x07"}
    assert "␛[2J" in printed(console)


def test_maps_are_of_the_patches_and_of_the_words_that_share_most_with_the_image() -> None:
    second = np.zeros((9, 9))
    second[0, 7] = second[7, 0] = 2.0
    second[1, 8] = second[8, 1] = -1.0
    console = a_console(colours=None, width=40)
    show_portrait(console, Portrait(explanation=replace(example(), second=second, tokens=("one", "two", "three"))))
    titles = next(line for line in without_codes(console) if line.startswith("patches"))
    assert titles.split() == ["patches", "two", "three"]
    console = a_console(colours=None, width=28)
    show_portrait(console, Portrait(explanation=replace(example(), second=second, tokens=("one", "two", "three"))))
    titles = next(line for line in without_codes(console) if line.startswith("patches"))
    assert titles.split() == ["patches", "two"]


@pytest.mark.parametrize(("player", "title"), [(7, "pairs with two"), (4, "pairs with (1, 1)")])
def test_pairs_of_one_player(player: int, title: str) -> None:
    explanation = replace(example(), tokens=("one", "two", "three"))
    console = a_console(colours=None, width=100)
    show_portrait(console, Portrait(explanation=explanation, player=player, top=8))
    lines = without_codes(console)
    assert any(line.startswith(f"{title},") or f"  {title}, logit" in line for line in lines)
    values = explanation.second[player]
    shown = [entry.value for entry in entries_of(Portrait(explanation=explanation, player=player, top=8))]
    assert np.abs(shown).tolist() == sorted(np.abs(np.delete(values, player)).tolist(), reverse=True)
    for value in shown:
        assert any(signed(f"{value:+.4f}") in line for line in lines)
    words = next(line for line in lines if line.split() and line.split()[-1].startswith(("+", signed("-"))))
    expected = [signed(f"{values[6 + k]:+.2f}") for k in range(3) if 6 + k != player]
    assert words.split() == expected


def test_as_many_rows_as_asked_for_of_players_or_pairs() -> None:
    explanation = example()
    assert len(entries_of(Portrait(explanation=explanation, top=3))) == 3
    players = entries_of(Portrait(explanation=explanation, top=4, of_players=True))
    assert [len(entry.players) for entry in players] == [1] * 4
    console = a_console(colours=None)
    show_portrait(console, Portrait(explanation=explanation, top=4, of_players=True))
    assert "Strongest players" in printed(console)


def test_values_that_are_missing_or_all_zero() -> None:
    blank = replace(pair_attribution(), second=np.zeros((9, 9)))
    console = a_console()
    show_portrait(console, Portrait(explanation=blank))
    assert "words and patches, attribution: 0 everywhere" in "\n".join(without_codes(console))
    first = example().first.copy()
    first[0] = np.nan
    console = a_console(colours=None)
    show_portrait(console, Portrait(explanation=replace(example(order=1), first=first)))
    assert " ?" in printed(console)


def test_a_map_that_does_not_fit_is_said_to_be_left_out() -> None:
    console = a_console(width=60)
    show_portrait(console, Portrait(explanation=wide()))
    assert "needs a wider terminal" in printed(console)


def wide() -> Explanation:
    """A grid of one row that no line has room for."""
    n = 103
    return replace(
        example(order=1),
        grid=(1, 100),
        first=np.ones(n),
        second=np.zeros((n, n)),
        first_std_error=np.ones(n),
        second_std_error=np.ones((n, n)),
    )
