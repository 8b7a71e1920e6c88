"""Who may run beside whom: a job that may be what kills workers runs alone, so that it takes no other with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["Gate"]

LOOK_EVERY_S: Final = 0.1


class Gate:
    """Jobs pass it side by side, or one by itself.

    Who wants to be alone waits until those inside have left, and holds newcomers back meanwhile. All waiting calls
    ``check`` every 0.1 s; what that raises ends it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._loners = 0
        self._is_taken = False

    @property
    def is_open(self) -> bool:
        """Whether a newcomer would not wait: nobody is alone inside, or waits to be."""
        return not self._is_taken and not self._loners

    @contextmanager
    def together(self, check: Callable[[], None]) -> Iterator[None]:
        """Inside with any number of others."""
        with self._changed:
            self._wait(lambda: self.is_open, check)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, check: Callable[[], None]) -> Iterator[None]:
        """Inside with nobody else."""
        with self._changed:
            self._loners += 1
            try:
                self._wait(lambda: not self._inside and not self._is_taken, check)
                self._is_taken = True
            finally:
                self._loners -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()

    def _wait(self, condition: Callable[[], bool], check: Callable[[], None]) -> None:
        while not condition():
            check()
            self._changed.wait(LOOK_EVERY_S)
