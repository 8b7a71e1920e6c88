"""Signs of life from a thread of their own, so that a busy main thread still looks alive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from redis import RedisError

__all__ = ["Heartbeat"]

_log = logging.getLogger(__name__)


class Heartbeat:
    """Calls every one of ``beats`` once per ``period_s`` until the block is left.

    Forward passes run in native code that releases the interpreter, so the thread gets its turn. A beat that meets
    Redis trouble is tried again a period later: the thread outlives any outage.
    """

    def __init__(self, beats: Sequence[Callable[[], object]], *, period_s: float) -> None:
        self._beats = tuple(beats)
        self._period_s = period_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            for beat in self._beats:
                try:
                    beat()
                except RedisError as error:
                    _log.warning("missed a heartbeat: %s", error)
                except Exception:
                    _log.exception("a heartbeat failed")
            self._ended.wait(self._period_s)
