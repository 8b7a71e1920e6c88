"""What a worker does over and over beside its jobs, in threads of its own, so that busy jobs still look alive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from redis import RedisError

__all__ = ["Periodic"]

_log = logging.getLogger(__name__)


class Periodic:
    """Calls every one of ``acts`` once per ``period_s``, in a thread, until the block is left.

    Forward passes run in native code that releases the interpreter, so the thread gets its turn. An act that meets
    Redis trouble is tried again a period later: the thread outlives any outage.
    """

    def __init__(self, name: str, *acts: Callable[[], object], period_s: float) -> None:
        self._acts = acts
        self._period_s = period_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Periodic:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            for act in self._acts:
                try:
                    act()
                except RedisError as error:
                    _log.warning("%s: Redis is in trouble: %s", self._thread.name, error)
                except Exception:
                    _log.exception("%s failed", self._thread.name)
            self._ended.wait(self._period_s)
