"""Server-sent events (the WHATWG's HTML standard, 9.2), read from the bytes of an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Event", "EventReader"]

# Not str.splitlines: a caption within the data may have U+2028 and other characters that it takes for ends of lines.
_END_OF_LINE: Final = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    """An event: its name, its data, and the id that a later stream can start after."""

    name: str
    data: str
    id: str


class EventReader:
    """Reads events as their bytes come in, cut anywhere."""

    def __init__(self) -> None:
        self.retry_s: float | None = None
        self._rest = b""
        self._id = ""
        self._fields: dict[str, list[str]] = {}

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that ``chunk`` completes."""
        text = self._rest + chunk
        held = b"\r" if text.endswith(b"\r") else b""  # the other half of the line's end may be yet to come
        *lines, last = _END_OF_LINE.split(text.removesuffix(held) if held else text)
        self._rest = last + held
        events = [self._line(line.decode("utf-8", "replace")) for line in lines]
        return [event for event in events if event is not None]

    def _line(self, line: str) -> Event | None:
        if not line:
            return self._end()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdecimal():
            self.retry_s = int(value) / 1000
        elif name in ("event", "data"):
            self._fields.setdefault(name, []).append(value)
        return None

    def _end(self) -> Event | None:
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        return Event(name=fields.get("event", ["message"])[-1], data="\n".join(fields["data"]), id=self._id)
