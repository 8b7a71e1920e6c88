from __future__ import annotations

from itertools import pairwise

from fixlip_core.rendering import style
from fixlip_core.rendering.words import LINE_PX, bottom_of, lay_out_words


def test_words_stand_in_reading_order_without_touching() -> None:
    words = lay_out_words([f"word{k}" for k in range(75)], top=100)
    assert [word.text for word in words] == [f"word{k}" for k in range(75)]
    for before, after in pairwise(words):
        if before.line == after.line:
            assert before.top == after.top
            assert before.left + before.width < after.left
        else:
            assert after.line == before.line + 1
            assert after.left == style.MARGIN_PX
            assert before.bottom < after.top
    assert max(word.left + word.width for word in words) <= style.WIDTH_PX - style.MARGIN_PX
    assert bottom_of(words, top=100) == words[-1].top + LINE_PX


def test_a_word_wider_than_the_sheet_is_cut() -> None:
    (word,) = lay_out_words(["m" * 300], top=0)
    assert word.text.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert word.left + word.width <= style.WIDTH_PX - style.MARGIN_PX


def test_short_lines_are_centred_on_request() -> None:
    (word,) = lay_out_words(["cat"], top=0, centred_over=816)
    assert word.centre == style.MARGIN_PX + 408


def test_no_words_take_no_room() -> None:
    assert lay_out_words([], top=10) == ()
    assert bottom_of((), top=10) == 10
