"""Consoles that remember what was printed."""

from __future__ import annotations

import io
from typing import Literal

from rich.console import Console
from rich.text import Text

__all__ = ["a_console", "columns_of", "printed", "signed", "without_codes"]


def a_console(
    *, width: int = 80, colours: Literal["standard", "256", "truecolor"] | None = "truecolor", no_color: bool = False
) -> Console:
    """A terminal of these colours; None: no terminal but a file."""
    is_terminal = colours is not None
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=is_terminal,
        color_system=colours,
        no_color=no_color,
        legacy_windows=False,
        _environ={},
    )


def printed(console: Console) -> str:
    """All that was printed, control codes among it."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def without_codes(console: Console) -> list[str]:
    """The lines as they are read."""
    return [Text.from_ansi(line).plain.rstrip() for line in printed(console).splitlines()]


def columns_of(console: Console) -> int:
    """Columns of the widest line."""
    return max(Text.from_ansi(line).cell_len for line in printed(console).splitlines())


def signed(text: str) -> str:
    """``text`` with true minuses."""
    return text.replace("-", "\N{MINUS SIGN}")
