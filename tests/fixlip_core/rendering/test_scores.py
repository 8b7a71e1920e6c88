from __future__ import annotations

import math

import numpy as np

from fixlip_core.evaluation import Interval, Score
from fixlip_core.rendering import style
from fixlip_core.rendering.scores import scores_sheet
from fixlip_core.rendering.sheet import Sheet

NAN = math.nan


def score(metric: str, name: str, value: float, *, ends: tuple[float, float] | None = None, up: bool = True) -> Score:
    return Score(metric, name, value, None if ends is None else Interval(*ends), up)


def texts(sheet: Sheet) -> list[str]:
    return [text.get_text() for text in sheet.figure.texts]


def share(sheet: Sheet, sign: int) -> float:
    colour = np.rint(255 * np.array(style.end_of_scale(sign)))
    return float((np.abs(sheet.pixels().astype(int) - colour).max(axis=-1) <= 2).mean())


def test_each_score_has_its_name_number_and_interval() -> None:
    scores = [
        score("faithfulness", "r2", 0.931, ends=(0.9, 0.951)),
        score("confidence", "text_drop", 0.1, up=False),
        score("aid", "second_order", NAN),
        score("aid", "first_order", -0.25),
    ]
    assert set(texts(scores_sheet(scores, order=2))) >= {
        *("p-faithfulness", "R² ↑", "0.93 (0.90 to 0.95)"),
        *("confidence", "text drop ↓", "0.10"),
        *("area between the insertion and deletion curves", "second order ↑", "\N{EN DASH}"),
        *("first order ↑", "\N{MINUS SIGN}0.25"),
    }


def test_the_scale_reaches_below_zero_only_for_values_that_do() -> None:
    above, below = (texts(scores_sheet([score("sanity", "x", value)], order=2))[-3:] for value in (0.5, -0.5))
    assert above == ["0", "0.5", "1"]
    assert below == ["\N{MINUS SIGN}1", "0", "1"]


def test_what_lies_beyond_the_scale_is_a_hollow_dot_at_its_end() -> None:
    inside, beyond = (scores_sheet([score("aid", "x", value)], order=2) for value in (0.9, 1_234.5))
    assert "1.23e+03" in texts(beyond)
    assert 0 < share(beyond, +1) < 0.6 * share(inside, +1)


def test_dots_have_the_colour_of_the_order() -> None:
    first, second = (scores_sheet([score("aid", "x", 0.5)], order=order) for order in (1, 2))
    assert share(first, -1) > 0 == share(first, +1)
    assert share(second, +1) > 0 == share(second, -1)


def test_no_scores_and_no_values_can_be_drawn() -> None:
    assert scores_sheet([], order=1).pixels().shape[1] == style.WIDTH_PX
    nothing = scores_sheet([score("m", "x", NAN, ends=(NAN, NAN))], order=1)
    assert share(nothing, -1) == 0
