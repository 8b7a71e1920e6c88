"""Estimators on the demo encoder: ``python -m benchmarks.estimators``.

Three tables, each alone with ``--only accuracy|errors|cost``:

* accuracy: R^2 on 2,000 fresh joint coalitions relative to the limit that least squares reaches with 40,000 image
  passes, and correlation of the pairs with that fit; mean of 10 three-object scenes for each p and budget;
* errors: share of values within one standard error of the 40,000-pass fit, over 20 seeds, two for each scene;
* cost: time and peak memory of one explanation, each in a process of its own, beside the published estimator.

The 40,000-pass references are kept in ``benchmarks/.cache``; the first run computes them (about a minute each).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterable

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

import fixlip_core as fx
from benchmarks.published import fit_published
from benchmarks.reference import Reference, predict, reference, scenes
from fixlip_core.game import SimilarityGame

PS = (0.3, 0.5, 0.7)
BUDGETS = (256, 512, 1_024)
SEEDS_PER_SCENE = 2
COST_BUDGET = 512
PUBLISHED_BUDGET = 2**15
# The fits' seeds start here: none is that of a scene or a reference.
FIRST_SEED = 1_000


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["accuracy", "errors", "cost"])
    parser.add_argument("--scenes", type=int, default=10)
    parser.add_argument("--p", type=float, nargs="+", default=list(PS))
    parser.add_argument("--measure", choices=["gp", "published"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        _measure(options.measure)
        return
    console = Console(width=110)
    if options.only in (None, "cost"):
        console.print(_cost_table())
    encoder = fx.load_encoder("demo")
    if options.only in (None, "accuracy"):
        console.print(_accuracy_table(encoder, options.scenes, options.p))
    if options.only in (None, "errors"):
        console.print(_errors_table(encoder, options.scenes, options.p))


def _accuracy_table(encoder: fx.DualEncoder, n_scenes: int, ps: Iterable[float]) -> Table:
    table = Table(title=f"estimator gp, mean of {n_scenes} scenes (limit: least squares, 40,000 image passes)")
    judged = ("R2", "R2 / limit", "lowest", "R2 (own estimate)", "image-image", "cross")
    for name in ("p", "image passes", "text passes", *judged):
        table.add_column(name, justify="right")
    for p in ps:
        for budget in BUDGETS:
            rows = []
            for scene in tqdm(scenes(n_scenes), desc=f"p={p} budget={budget}", leave=False):
                known = reference(encoder, scene, p)
                found = fx.explain(
                    encoder, scene.image, scene.caption, p=p, budget=budget, seed=FIRST_SEED + scene.seed
                )
                r2 = known.r2(found.predict(known.coalitions))
                rows.append(
                    (
                        found.text_passes,
                        r2,
                        r2 / known.limit_r2,
                        found.estimated_r2,
                        *known.correlations(found.second, found.n_image),
                    )
                )
            mean, lowest = np.mean(rows, axis=0), np.min(rows, axis=0)
            table.add_row(
                f"{p}",
                f"{budget}",
                f"{mean[0]:.0f}",
                f"{mean[1]:.4f}",
                f"{mean[2]:.4f}",
                f"{lowest[2]:.4f}",
                f"{mean[3]:.4f}",
                f"{mean[4]:.3f}",
                f"{mean[5]:.3f}",
            )
    return table


def _errors_table(encoder: fx.DualEncoder, n_scenes: int, ps: Iterable[float]) -> Table:
    seeds = SEEDS_PER_SCENE * n_scenes
    table = Table(title=f"share of values within one standard error of the 40,000-pass fit, {seeds} seeds")
    groups = ("all values", "patches", "tokens", "image-image", "cross", "text-text")
    for name in ("p", "image passes", *groups):
        table.add_column(name, justify="right")
    for p in ps:
        for budget in BUDGETS[:2]:
            shares = []
            for seed in tqdm(range(seeds), desc=f"p={p} budget={budget}", leave=False):
                scene = scenes(n_scenes)[seed % n_scenes]
                found = fx.explain(encoder, scene.image, scene.caption, p=p, budget=budget, seed=FIRST_SEED + seed)
                shares.append(_covered(found, reference(encoder, scene, p)))
            table.add_row(f"{p}", f"{budget}", *(f"{share:.2f}" for share in np.mean(shares, axis=0)))
    return table


def _covered(found: fx.Explanation, known: Reference) -> list[float]:
    n = found.n_image
    first = np.abs(found.first - known.first) <= found.first_std_error
    second = np.abs(found.second - known.second) <= found.second_std_error
    within, among = second[:n, :n][np.triu_indices(n, 1)], second[n:, n:][np.triu_indices(len(found.tokens), 1)]
    cross = second[:n, n:].ravel()
    groups = [first[:n], first[n:], within, cross, among]
    return [float(np.concatenate([first, within, cross, among]).mean()), *(float(group.mean()) for group in groups)]


def _cost_table() -> Table:
    table = Table(title="one explanation of scene 0 at p = 0.5, in a process of its own")
    for name in ("estimator", "image + text passes", "R2", "time, s", "of which passes, s", "peak memory, MB"):
        table.add_column(name, justify="right")
    for kind in ("gp", "published"):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.estimators", "--measure", kind],
            capture_output=True,
            text=True,
            check=True,
        )
        table.add_row(*done.stdout.strip().split("\n")[-1].split("|"))
    return table


def _measure(kind: str) -> None:
    """Print one row of the cost table; run in a process of its own, so that the peak of memory is its own."""
    scene, encoder = scenes(1)[0], fx.load_encoder("demo")
    known = reference(encoder, scene, 0.5)
    # A warm worker is what a job meets: the first passes of a process build its kernels.
    fx.explain(encoder, scene.image, scene.caption, budget=64)
    started = passed = time.perf_counter()
    made = 0

    def note(completed: int, _: int) -> None:
        # The estimator says that it is done with a last call, which passes nothing.
        nonlocal passed, made
        if completed != made:
            passed, made = time.perf_counter(), completed

    if kind == "gp":
        found = fx.explain(encoder, scene.image, scene.caption, budget=COST_BUDGET, seed=FIRST_SEED, progress=note)
        predicted, passes = found.predict(known.coalitions), f"{found.image_passes} + {found.text_passes}"
        name = f"gp, budget {COST_BUDGET}"
    else:
        game = SimilarityGame.of(encoder, scene.image, scene.caption, on_passes=lambda passes: note(made + passes, 0))
        values, image_passes, text_passes = fit_published(game, 0.5, PUBLISHED_BUDGET, FIRST_SEED)
        predicted = predict(values, known.coalitions)
        passes, name = f"{image_passes} + {text_passes}", f"published (dense), budget {PUBLISHED_BUDGET}"
    total = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = (f"{known.r2(predicted):.3f}", f"{total:.2f}", f"{passed - started:.2f}", f"{peak:.0f}")
    print("|".join([name, passes, *figures]))


if __name__ == "__main__":
    main()
