from __future__ import annotations

import io
import sys
import unicodedata

import pytest
from rich.cells import cell_len

from fixlip.terminal.text import cut, plain, printable, say, write_in_any_encoding
from tests.support.consoles import a_console, printed, without_codes

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]8;;http://elsewhere\x1b\\link\x1b]8;;\x1b\\",
    "a\rb\x08\x7f",
    "\x9b2J",
    "\u202egnp.exe",
    "\u2066isolate\u2069",
    "zero\u200bwidth\u200djoiner\ufeff",
    "lone \ud800 surrogate",
    "\ue000\U000fffff",
    "z" + "\u0300" * 50,
    "\u0300first",
    "a\nb\tc\u2028d",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_characters_that_are_shown(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert "".join(shown.split())
    assert not unicodedata.combining(shown[0])
    assert sum(map(unicodedata.combining, shown)) <= 2 * 230


def test_what_is_left_out_can_be_seen() -> None:
    assert printable("\x1b[31mred\x7f") == "␛[31mred␡"
    assert printable("a\nb\tc") == "a b c"
    assert printable("\x9b2J") == "\N{REPLACEMENT CHARACTER}2J"


@pytest.mark.parametrize("text", ["naïve", "日本語の猫", "Ünïcödé", "สวัสดี", "한국어", "cafe\u0301", "“no”", "🐈🐕"])
def test_text_of_any_script_is_left_as_it_is(text: str) -> None:
    assert printable(text) == unicodedata.normalize("NFC", text)


def test_composed_emoji_come_apart_into_characters_of_known_width() -> None:
    assert printable("👩\u200d🚀") == "👩🚀"
    assert printable("❤\ufe0f") == "❤"


@pytest.mark.parametrize("width", [1, 2, 5, 8])
@pytest.mark.parametrize("text", ["日本語の猫です", "a long token", "\x1b[31mred", "🐈🐕🐈🐕🐈"])
def test_cut_to_columns(text: str, width: int) -> None:
    assert 1 <= cell_len(cut(text, width)) <= width
    assert cut(text, 40) == printable(text)


def test_a_token_of_blanks_shows() -> None:
    assert cut("  ", 8) == cut("", 8) == "\N{OPEN BOX}"


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("ascii", b"-1.5 ~ 0.2, R2 .. ??"), ("latin-1", b"-1.5 \xb1 0.2, R\xb2 .\xb7 ??"), ("utf-8", None)],
)
def test_what_an_encoding_lacks_is_written_as_something_like_it(
    monkeypatch: pytest.MonkeyPatch, encoding: str, written: bytes | None
) -> None:
    text = "\N{MINUS SIGN}1.5 ± 0.2, R² …· 猫🐈"
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    write_in_any_encoding()
    print(text, end="", flush=True)
    assert out.buffer.getvalue() == (written or text.encode())


def test_no_markup_emoji_codes_or_highlights_are_looked_for() -> None:
    console = a_console()
    say(console, "[bold]1[/bold] :cat: [link=http://elsewhere]x\x1b[5m\nnext")
    console.print(plain("[red]:dog:"), highlight=False)
    assert without_codes(console) == ["[bold]1[/bold] :cat: [link=http://elsewhere]x␛[5m", "next", "[red]:dog:"]
    assert "\x1b" not in printed(console)
