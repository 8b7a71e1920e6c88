"""What every encoder does with its coalitions: check them, and time a few to know what they cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.types import Coalitions

__all__ = ["checked_coalitions", "shortest_s"]

_REPEATS: Final = 3


def checked_coalitions(coalitions: Coalitions, n: int) -> Coalitions:
    """A copy of ``coalitions``, its rows one after another.

    Raises:
        InvalidParameterError: it is not bool of shape (m, n).
    """
    present = np.array(coalitions, order="C")
    if present.ndim != 2 or present.shape[1] != n or present.dtype != np.bool_:
        raise InvalidParameterError(
            f"coalitions must be bool of shape (m, {n}), not {present.dtype} of shape {present.shape}",
            field="coalitions",
        )
    return present


def shortest_s(act: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs, after one to warm up.

    Args:
        act: has its result on the host when it returns, so that the device is done.
    """
    act()
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return min(times)
