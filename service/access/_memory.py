"""What was read from Redis a moment ago, so that it need not be read for every request."""

from __future__ import annotations

import time
from typing import Final, Generic, TypeVar

__all__ = ["MEMORY_S", "Memory"]

MEMORY_S: Final = 3.0
"""How long something is remembered: a key that is revoked, or a quota that is changed, is so everywhere after this."""
_MOST_ENTRIES: Final = 4096

_V = TypeVar("_V")


class Memory(Generic[_V]):
    """Values by name, each forgotten a few seconds after it was kept; several threads may use it.

    Args:
        lasts_s: how long each is remembered.
    """

    def __init__(self, *, lasts_s: float = MEMORY_S) -> None:
        self._lasts_s = lasts_s
        self._entries: dict[str, tuple[float, _V]] = {}

    def recall(self, name: str) -> _V | None:
        """The value, if it was kept a moment ago."""
        until_s, value = self._entries.get(name, (0.0, None))
        return value if time.monotonic() < until_s else None

    def keep(self, name: str, value: _V) -> None:
        """Remember a value; all others are forgotten when there are very many of them."""
        if len(self._entries) >= _MOST_ENTRIES:
            self._entries.clear()
        self._entries[name] = (time.monotonic() + self._lasts_s, value)
