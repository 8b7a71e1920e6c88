from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.simulation import Simulation, Station, Visit

HORIZON_S = 10_000.0


def _simulate(*, rate: float, service_s: float, servers: int = 1, constant: bool = False) -> Station:
    """Visitors at random times, with random or constant service times."""
    rng = np.random.default_rng(0)
    simulation = Simulation(HORIZON_S)
    station = Station(simulation, servers)

    def come() -> None:
        station.visit(service_s if constant else rng.exponential(service_s))
        simulation.at(simulation.now_s + rng.exponential(1 / rate), come)

    simulation.at(0.0, come)
    simulation.run()
    return station


def _erlang_c_wait_s(rate: float, service_s: float, servers: int) -> float:
    load = rate * service_s
    terms = [load**k / math.factorial(k) for k in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last) * service_s / (servers - load)


def test_one_server_with_random_service_waits_as_theory_says() -> None:
    station = _simulate(rate=5.0, service_s=0.14)
    assert station.utilisation == pytest.approx(0.7, rel=0.03)
    assert station.waits_s.mean() == pytest.approx(0.7 * 0.14 / 0.3, rel=0.06)


def test_one_server_with_constant_service_waits_half_as_long() -> None:
    station = _simulate(rate=5.0, service_s=0.14, constant=True)
    assert station.waits_s.mean() == pytest.approx(0.7 * 0.14 / 0.3 / 2, rel=0.06)


def test_several_servers_wait_as_erlang_says() -> None:
    station = _simulate(rate=5.0, service_s=0.7, servers=5)
    assert station.utilisation == pytest.approx(0.7, rel=0.03)
    assert station.waits_s.mean() == pytest.approx(_erlang_c_wait_s(5.0, 0.7, 5), rel=0.1)


def test_an_overloaded_station_is_always_busy_and_its_queue_grows_by_what_is_too_much() -> None:
    station = _simulate(rate=10.0, service_s=0.2, constant=True)
    assert station.utilisation == pytest.approx(1.0, abs=1e-3)
    assert station.waits_s[-1] == pytest.approx(HORIZON_S, rel=0.02)  # twice the work that can be done


def test_a_visit_knows_its_begin_and_end_and_first_come_are_first_served() -> None:
    simulation = Simulation(10.0)
    station = Station(simulation, servers=2)
    assert [station.visit(s) for s in (3.0, 1.0, 1.0, 2.0)] == [
        Visit(0.0, 3.0),
        Visit(0.0, 1.0),
        Visit(1.0, 2.0),
        Visit(2.0, 4.0),
    ]
    assert station.waits_s.tolist() == [0.0, 0.0, 1.0, 2.0]
    assert station.utilisation == pytest.approx(7.0 / 20.0)


def test_what_is_planned_happens_in_order_and_nothing_after_the_horizon() -> None:
    simulation = Simulation(5.0)
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, simulation.now_s))

    simulation.at(3.0, lambda: note("later"))
    simulation.at(1.0, lambda: note("first"))
    simulation.at(1.0, lambda: note("second"))
    simulation.at(5.0, lambda: note("never"))
    simulation.at(2.0, lambda: simulation.at(simulation.now_s, lambda: note("planned meanwhile")))
    simulation.run()
    assert seen == [("first", 1.0), ("second", 1.0), ("planned meanwhile", 2.0), ("later", 3.0)]
    assert simulation.now_s == 5.0


def test_only_what_is_between_warm_and_horizon_counts() -> None:
    simulation = Simulation(10.0, warm_s=5.0)
    station = Station(simulation)
    simulation.at(3.0, lambda: station.visit(3.0))
    simulation.at(8.0, lambda: [station.visit(5.0), station.visit(5.0)])
    simulation.run()
    assert station.utilisation == pytest.approx((1.0 + 2.0) / 5.0)
    assert station.visits == 2
