"""How the C library keeps freed memory, in processes of many threads that live for weeks."""

from __future__ import annotations

import ctypes

__all__ = ["limit_arenas"]

_M_ARENA_MAX = -8
_ARENAS = 2


def limit_arenas() -> None:
    """Have glibc's malloc keep two arenas, as ``MALLOC_ARENA_MAX=2`` does; call it before there are threads.

    By default it has eight per core, and what one thread has freed there is of no use to the others: each arena grows
    to the largest job that its thread ever had. Where the C library is another one, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
