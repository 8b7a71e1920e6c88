"""One thread for the linear algebra of explanations, whoever else in this process asks for the same.

The number of BLAS threads belongs to the process. Were every fit to set it and put back what it found, a fit that
began amid another would find one thread and leave it so for good. Hence the first to come sets it, and the last to
leave puts it back. Both are done by a thread that lives so long and no longer: threadpoolctl lets one thread alone
change the number while that thread is alive.
"""

from __future__ import annotations

from threading import Event, Lock, Thread

from threadpoolctl import threadpool_limits

__all__ = ["ONE_BLAS_THREAD"]


class _SharedLimit:
    """Context manager that threads may hold at once, and that nests."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._holders = 0
        self._is_over = Event()
        self._keeper: Thread | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._holders == 0:
                self._is_over, is_set = Event(), Event()
                self._keeper = Thread(target=_keep, args=(is_set, self._is_over), name="one-blas-thread", daemon=True)
                self._keeper.start()
                is_set.wait()
            self._holders += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._holders -= 1
            if self._holders == 0 and self._keeper is not None:
                self._is_over.set()
                self._keeper.join()
                self._keeper = None


def _keep(is_set: Event, is_over: Event) -> None:
    try:
        import scipy.linalg  # noqa: F401  # it brings a BLAS of its own, which must be there to be limited

        with threadpool_limits(1, user_api="blas"):
            is_set.set()
            is_over.wait()
    finally:
        is_set.set()


ONE_BLAS_THREAD = _SharedLimit()
"""While anyone holds it, BLAS has one thread in the whole process."""
