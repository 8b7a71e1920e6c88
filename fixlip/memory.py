"""How memory is kept and looked through, in processes that live for weeks."""

from __future__ import annotations

import ctypes
import gc

__all__ = ["begin_for_good", "limit_arenas", "stay_for_good"]

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


def begin_for_good() -> None:
    """Look for no garbage while a process makes what it keeps for its life, until :func:`stay_for_good`."""
    gc.disable()


def stay_for_good() -> None:
    """Have all that is there by now stay, so that no search for garbage goes through it again."""
    gc.freeze()
    gc.enable()
