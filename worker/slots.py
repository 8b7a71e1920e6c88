"""The slots of a worker process: threads that each run one job at a time, as workers of their own in RQ's books."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from redis import RedisError

from service.jobs.connection import connect
from worker.rq_worker import REDIS_TIMEOUT_S, FixlipWorker
from worker.runtime import Runtime

__all__ = ["Slots"]

RETRY_S: Final = 1.0
JOIN_S: Final = 0.1

_log = logging.getLogger(__name__)


class Slots:
    """As many threads as jobs may run at once. Redis may come and go; they end when the process is asked to stop.

    Args:
        runtime: the process.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._workers: dict[int, FixlipWorker] = {}
        # No exit waits for a thread that is stuck: main() sees to that.
        self._threads = [
            threading.Thread(target=self._serve, args=(slot,), name=f"slot-{slot}", daemon=True)
            for slot in range(1, runtime.settings.slots + 1)
        ]

    def start(self) -> None:
        """Begin to take jobs."""
        for thread in self._threads:
            thread.start()

    def join(self) -> bool:
        """Wait a moment for the threads to end; whether all have."""
        for thread in self._threads:
            thread.join(JOIN_S)
        return not any(thread.is_alive() for thread in self._threads)

    def beat(self) -> None:
        """Tell RQ of all running jobs that they are alive."""
        for worker in list(self._workers.values()):
            worker.beat()

    def _serve(self, slot: int) -> None:
        incarnation = 0
        while not self._runtime.stop.requested:
            incarnation += 1
            name = f"{self._runtime.worker_id}/{slot}" + (f".{incarnation}" if incarnation > 1 else "")
            try:
                self._work(slot, name)
            except RedisError as error:
                _log.warning("Redis is away, trying again in %.0f s: %s", RETRY_S, error)
            except Exception:
                _log.exception("slot %d failed, trying again in %.0f s", slot, RETRY_S)
            if not self._runtime.stop.requested:
                time.sleep(RETRY_S)

    def _work(self, slot: int, name: str) -> None:
        """One worker in RQ's books, from birth to death; it ends early when Redis fails at the wrong moment."""
        runtime = self._runtime
        with connect(runtime.settings.redis_url, timeout_s=REDIS_TIMEOUT_S) as connection:
            worker = FixlipWorker(
                connection, runtime.settings, runtime.stop, name=name, may_take=lambda: runtime.gate.is_open
            )
            self._workers[slot] = worker
            try:
                worker.work(logging_level=None)
            finally:
                self._workers.pop(slot, None)
