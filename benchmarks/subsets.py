"""The search for coalitions of extreme value: ``python -m benchmarks.subsets``.

Two tables:

* time and memory of the search, both directions, all sizes, all starts, by the number of players; the fastest of some
  rounds counts;
* how often it finds what brute force finds, by the kind of game: the share of the sizes 1 to n - 1, in both directions,
  at which its value is the extreme one.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from fixlip_core.evaluation.subsets import brute_force_subsets, extreme_subsets
from fixlip_core.types import FloatArray

__all__ = ["GAMES", "agreement", "main"]

PLAYERS: Final = (56, 104, 216)
SMALL_PLAYERS: Final = 12


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", type=int, nargs="+", default=list(PLAYERS))
    parser.add_argument("--games", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    console = Console(width=110)
    console.print(_time_table(options.players, options.rounds))
    console.print(_agreement_table(options.games))


def agreement(draw: Callable[[np.random.Generator], tuple[FloatArray, FloatArray]], games: int) -> float:
    """Share of sizes, over ``games`` seeded games and both directions, at which search and brute force agree."""
    agreed = []
    for seed in range(games):
        first, second = draw(np.random.default_rng(seed))
        found, best = extreme_subsets(first, second), brute_force_subsets(first, second)
        for ours, exact in (
            (found.greatest_values, best.greatest_values),
            (found.least_values, best.least_values),
        ):
            agreed += np.isclose(ours, exact, rtol=0, atol=1e-9 * np.abs(exact).max())[1:-1].tolist()
    return float(np.mean(agreed))


def _symmetric(pairs: FloatArray) -> FloatArray:
    upper = np.triu(pairs, 1)
    return np.asarray(upper + upper.T)


def _independent(rng: np.random.Generator, n: int = SMALL_PLAYERS) -> tuple[FloatArray, FloatArray]:
    """Every value drawn by itself, pairs as large as players."""
    return rng.normal(size=n), _symmetric(rng.normal(size=(n, n)))


def _pairs_alone(rng: np.random.Generator, n: int = SMALL_PLAYERS) -> tuple[FloatArray, FloatArray]:
    """As in exCLIP: pairs of an image and a text player, nothing else."""
    n_image = 2 * n // 3
    second = np.zeros((n, n))
    second[:n_image, n_image:] = rng.normal(size=(n_image, n - n_image))
    return np.zeros(n), np.asarray(second + second.T)


def _heavy_tails(rng: np.random.Generator, n: int = SMALL_PLAYERS) -> tuple[FloatArray, FloatArray]:
    """As in FIxLIP: a few players and pairs far above the rest."""
    return rng.standard_t(2, size=n), _symmetric(0.5 * rng.standard_t(2, size=(n, n)))


GAMES: Final[Mapping[str, Callable[[np.random.Generator], tuple[FloatArray, FloatArray]]]] = {
    "independent values": _independent,
    "cross-modal pairs alone": _pairs_alone,
    "a few large values": _heavy_tails,
}


def _time_table(players: list[int], rounds: int) -> Table:
    table = Table(title=f"all sizes, all starts, both directions; the fastest of {rounds} rounds")
    for name in ("players", "seconds", "memory, MB"):
        table.add_column(name, justify="right")
    for n in players:
        first, second = _independent(np.random.default_rng(n), n)
        taken_s = min(_time_s(partial(extreme_subsets, first, second)) for _ in range(rounds))
        table.add_row(str(n), f"{taken_s:.2f}", f"{_peak_bytes(first, second) / 1e6:.1f}")
    return table


def _agreement_table(games: int) -> Table:
    table = Table(title=f"{games} games of {SMALL_PLAYERS} players, search against brute force")
    table.add_column("values")
    table.add_column("sizes of the same value", justify="right")
    for name, draw in GAMES.items():
        table.add_row(name, f"{agreement(draw, games):.1%}")
    return table


def _time_s(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _peak_bytes(first: FloatArray, second: FloatArray) -> int:
    """Most memory that the search held, counted in a run of its own: counting takes time."""
    tracemalloc.start()
    try:
        extreme_subsets(first, second)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    main()
