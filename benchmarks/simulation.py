"""A small discrete-event simulation: a clock, and stations that visitors queue before."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Simulation", "Station", "Visit"]


class Simulation:
    """What happens, in the order of its time; what happens at the same time happens in the order of its planning.

    Args:
        horizon_s: when the simulation ends, seconds from its start.
        warm_s: from when on stations count, so that an empty beginning does not flatter them.
    """

    def __init__(self, horizon_s: float, *, warm_s: float = 0.0) -> None:
        self.horizon_s = horizon_s
        self.warm_s = warm_s
        self.now_s = 0.0
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()

    def at(self, time_s: float, act: Callable[[], object]) -> None:
        """Plan ``act`` for a time that has not passed."""
        heapq.heappush(self._events, (time_s, next(self._numbers), act))

    def run(self) -> None:
        """Let everything happen that is planned before the horizon, and what that plans."""
        events, horizon_s = self._events, self.horizon_s
        while events and events[0][0] < horizon_s:
            self.now_s, _, act = heapq.heappop(events)
            act()
        self.now_s = horizon_s


class Visit(NamedTuple):
    """When a visitor is served, and when it leaves: seconds from the start of the simulation."""

    begin_s: float
    end_s: float


class Station:
    """A queue, first come first served, before servers of equal speed.

    A visitor's service time is known when it comes, so its begin and end are known at once, and no event is needed
    inside a station. Visits must be made in the order of time.

    Args:
        simulation: the clock.
        servers: how many visitors are served at once.
    """

    def __init__(self, simulation: Simulation, servers: int = 1) -> None:
        self._simulation = simulation
        self._servers = servers
        self._free_at_s = [0.0] * servers
        self._busy_s = 0.0
        self._waits_s = array("d")

    def visit(self, service_s: float) -> Visit:
        """Queue now for ``service_s`` seconds of one server."""
        now_s = self._simulation.now_s
        begin_s = max(now_s, self._free_at_s[0])
        end_s = begin_s + service_s
        heapq.heapreplace(self._free_at_s, end_s)
        warm_s, horizon_s = self._simulation.warm_s, self._simulation.horizon_s
        self._busy_s += max(min(end_s, horizon_s) - max(begin_s, warm_s), 0.0)
        if now_s >= warm_s:
            self._waits_s.append(begin_s - now_s)
        return Visit(begin_s, end_s)

    @property
    def utilisation(self) -> float:
        """Share of the servers' time, from warm to the horizon, in which they serve."""
        return self._busy_s / (self._servers * (self._simulation.horizon_s - self._simulation.warm_s))

    @property
    def visits(self) -> int:
        """How many came once it was warm."""
        return len(self._waits_s)

    @property
    def waits_s(self) -> npt.NDArray[np.float64]:
        """(visits,) seconds from coming to being served, in the order of coming."""
        return np.array(self._waits_s)
