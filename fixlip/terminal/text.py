"""Text of any origin on a terminal: nothing in it can move the cursor, change colours or reorder a line."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

__all__ = ["cut", "plain", "printable", "say", "write_in_any_encoding"]

BLANK: Final = "\N{OPEN BOX}"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
_CONTROL_PICTURES: Final = 0x2400
_DELETE: Final = "\x7f"
_LIKE: Final = {
    "\N{MINUS SIGN}": "-",
    "\N{PLUS-MINUS SIGN}": "~",
    "\N{MIDDLE DOT}": ".",
    "\N{SUPERSCRIPT TWO}": "2",
    ELLIPSIS: ".",
    BLANK: "_",
}
"""What is written where a terminal's encoding has no such character, a column each."""
_MOST_MARKS: Final = 2
"""Combining marks on one character; any number of them would reach into the lines above and below."""


def printable(text: str) -> str:
    """``text`` on one line in characters that a terminal only shows.

    Controls become their pictures (``\N{SYMBOL FOR ESCAPE}``), line breaks and tabs blanks. What has no width of its
    own and changes its neighbours is left out: marks of direction, joiners, variation selectors, marks in masses. So
    a terminal makes of every character as many columns as rich counts for it.
    """
    shown: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MOST_MARKS or (marks and not shown) or "\ufe00" <= character <= "\ufe0f":
            continue
        shown.append(_harmless(character, category))
    return "".join(shown)


def plain(text: str) -> Text:
    """:func:`printable` text for rich, which looks for no markup in it."""
    return Text(printable(text))


def cut(text: str, width: int) -> str:
    """Printable ``text`` in at most ``width`` columns, with an ellipsis where it is longer; blanks show as a box."""
    text = printable(text).strip() or BLANK
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)).rstrip() + ELLIPSIS


def say(console: Console, text: str, *, style: str = "") -> None:
    """Print lines of plain text, which the terminal may break but rich does not."""
    for line in text.splitlines() or [""]:
        console.print(Text(printable(line), style=style), soft_wrap=True, highlight=False)


def write_in_any_encoding() -> None:
    """Have what the encoding of standard output and error lacks written as something like it, or as ``?``."""
    codecs.register_error("like", _like)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="like")


def _like(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_LIKE.get(character, "?") for character in lacking), error.end


def _harmless(character: str, category: str) -> str:
    if category in ("Zs", "Zl", "Zp") or character in "\t\n\r\v\f":
        return " "
    if category == "Cc":
        if character == _DELETE:
            return "\N{SYMBOL FOR DELETE}"
        return chr(_CONTROL_PICTURES + ord(character)) if character < " " else "\N{REPLACEMENT CHARACTER}"
    if category == "Cf":
        return ""
    return "\N{REPLACEMENT CHARACTER}" if category in ("Cs", "Co", "Cn") else character
