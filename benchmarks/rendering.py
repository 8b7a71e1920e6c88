"""Time that drawing takes: ``python -m benchmarks.rendering``.

A row for each length of caption: all maps of one explanation, drawn in this process and in one of a worker's drawing
processes (median of some rounds); what shipping there and back adds; and what the files weigh. Below the table, the
most memory that the drawing process held.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from fixlip_core.demo.scenes import draw_scene
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import render_maps
from fixlip_core.rendering.pool import RenderPool

TOKENS = (4, 12, 30)
GRID = (8, 8)
WORDS = ("a", "red", "circle", "above", "the", "small", "blue", "square", "and", "green", "triangle")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, nargs="+", default=list(TOKENS))
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    table = Table(title=f"all maps of one explanation, {GRID[0]}x{GRID[1]} patches, median of {options.rounds} rounds")
    for name in ("tokens", "maps", "here, ms", "in a process, ms", "shipping, ms", "files, KB"):
        table.add_column(name, justify="right")
    with RenderPool(1) as pool:
        for n_tokens in options.tokens:
            table.add_row(*_row(pool, n_tokens, options.rounds))
    console = Console(width=110)
    console.print(table)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    console.print(f"the process that drew held at most {peak_mb:.0f} MB")


def _row(pool: RenderPool, n_tokens: int, rounds: int) -> list[str]:
    explanation, view = _explanation(n_tokens), draw_scene(7, n_objects=2).image
    maps = pool.render(explanation, view)
    # In turn, so that whatever else this machine does slows both.
    times = [
        (_time_ms(lambda: render_maps(explanation, view)), _time_ms(lambda: pool.render(explanation, view)))
        for _ in range(rounds)
    ]
    here, apart = (median(column) for column in zip(*times, strict=True))
    shipping = median(there - at_home for at_home, there in times)
    weight_kb = sum(len(drawn.png) + len(drawn.svg) for drawn in maps.values()) / 1024
    return [str(n_tokens), str(len(maps)), *(f"{figure:.0f}" for figure in (here, apart, shipping, weight_kb))]


def _time_ms(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return 1_000 * (time.perf_counter() - started)


def _explanation(n_tokens: int) -> Explanation:
    """Random values, the same each time: how long drawing takes does not depend on them."""
    n = GRID[0] * GRID[1] + n_tokens
    rng = np.random.default_rng(n_tokens)
    pairs = np.triu(rng.normal(size=(n, n)), 1)
    return Explanation(
        tokens=tuple(WORDS[k % len(WORDS)] for k in range(n_tokens)),
        grid=GRID,
        baseline=0.5,
        first=rng.normal(size=n),
        second=pairs + pairs.T,
        first_std_error=np.full(n, np.nan),
        second_std_error=np.full((n, n), np.nan),
        empty_value=0.5,
        full_value=3.0,
        method="fixlip",
        index="WFBII",
        order=2,
        p=0.5,
        score="logit",
        image_passes=512,
        text_passes=16,
    )


if __name__ == "__main__":
    main()
