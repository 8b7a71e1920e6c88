"""The device for one thread alone: for methods that run towers themselves."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, get_ident

__all__ = ["Turn"]


class Turn:
    """A thread's hold of the device; see :meth:`fixlip_core.batching.Batcher.turn`.

    Args:
        check: called while the thread waits; what it raises ends the waiting.
        pass_on: gives the device to those who wait, and waits to get it back.
    """

    def __init__(self, check: Callable[[], None], pass_on: Callable[[Turn], None]) -> None:
        self.check = check
        self.thread = get_ident()
        self.granted = Event()
        """Set while the device is the thread's, and when it never will be."""
        self._pass_on = pass_on

    def pass_on(self) -> None:
        """Let all who wait have a batch or a turn of theirs, then go on; at once where nobody waits.

        Raises:
            DeviceLostError: the device failed meanwhile.
            BatcherStoppedError: the batcher was stopped meanwhile.
        """
        self._pass_on(self)
