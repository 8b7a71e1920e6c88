"""Estimators against passes, ours and shapiq's, on one game: ``python -m benchmarks.comparison``.

The game is scene 0 of the demo encoder at p = .5. Judged are

* R^2 of the additive form on the reference's 2,000 fresh coalitions (for indices that are one: FBII);
* correlation of the image-image and of the cross-modal pairs with the 40,000-pass least-squares fit;
* time, of which passes, and peak memory; each estimator has a process of its own, and goes through the numbers of
  passes in rising order, so that the peak is the greatest so far.

Factored estimators take that many image passes and 1,024 text passes; joint ones as many of each. The reference is
kept in ``benchmarks/.cache``; the first run computes it (about two minutes).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapiq.approximator
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

import fixlip_core as fx
from benchmarks.reference import predict, reference, scenes
from fixlip_core.coalitions import sample_product
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators import (
    Additive,
    GameFit,
    TowerSample,
    fit_joint,
    fit_least_squares,
    fit_towers,
    to_additive,
)
from fixlip_core.game import SimilarityGame
from fixlip_core.players import Players
from fixlip_core.types import Coalitions, FloatArray

P = 0.5
PASSES = (128, 256, 512, 1_024, 2_048, 4_096)
TEXT_PASSES = 1_024
# None of a scene's or a reference's.
SEED = 1_000
_WARM_UP_PASSES = 64

FactoredEstimator = Callable[..., GameFit]


@dataclass
class Clock:
    """Seconds that passes took."""

    seconds: float = 0.0
    _started: float = field(default_factory=time.perf_counter)

    def around(self, call: Callable[[Coalitions], FloatArray], coalitions: Coalitions) -> FloatArray:
        """``call(coalitions)``, timed."""
        started = time.perf_counter()
        result = call(coalitions)
        self.seconds += time.perf_counter() - started
        return result

    @property
    def total(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._started


Estimator = Callable[[SimilarityGame, int, Clock], Additive]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, nargs="+", default=list(PASSES))
    parser.add_argument("--estimators", nargs="+", choices=list(ESTIMATORS), default=list(ESTIMATORS))
    parser.add_argument("--measure", choices=list(ESTIMATORS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    passes = sorted(options.passes)
    if options.measure:
        _measure(options.measure, passes)
        return
    known = reference(fx.load_encoder("demo"), scenes(1)[0], P)
    table = Table(title=f"one game of 64 patches and 14 tokens at p = {P}; the reference's R2 is {known.limit_r2:.3f}")
    for name in ("estimator", "passes", "R2", "image-image", "cross", "time, s", "of which passes, s", "peak, MB"):
        table.add_column(name, justify="left" if name == "estimator" else "right")
    for name in tqdm(options.estimators, leave=False):
        for row in _measured_apart(name, passes):
            table.add_row(name, *row)
        table.add_section()
    Console(width=120).print(table)


def _measured_apart(name: str, passes: list[int]) -> list[list[str]]:
    command = [sys.executable, "-m", "benchmarks.comparison", "--measure", name, "--passes", *map(str, passes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def _measure(name: str, passes: list[int]) -> None:
    """Print a JSON row for every number of passes."""
    scene, encoder = scenes(1)[0], fx.load_encoder("demo")
    known = reference(encoder, scene, P)
    game = SimilarityGame.of(encoder, scene.image, scene.caption)
    # The first passes of a process build its kernels.
    game.value(sample_product(len(game.players), _WARM_UP_PASSES, P, np.random.default_rng(SEED - 1)).coalitions)
    for count in passes:
        clock = Clock()
        try:
            found = ESTIMATORS[name](game, count, clock)
        except InvalidParameterError:
            print(json.dumps([f"{count:,}", "too few", *["-"] * 5]))
            continue
        total = clock.total
        within, cross = known.correlations(found.second, game.players.n_image)
        # No other index is an additive form of the game's values.
        r2 = f"{known.r2(predict(found, known.coalitions)):.3f}" if np.isfinite(found.baseline) else "-"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        correlations = ["-" if np.isnan(value) else f"{value:.2f}" for value in (within, cross)]
        print(json.dumps([f"{count:,}", r2, *correlations, f"{total:.1f}", f"{clock.seconds:.1f}", f"{peak:.0f}"]))


def _factored(fit: FactoredEstimator, *, complementary: bool = True) -> Estimator:
    """An estimator that samples the towers apart."""

    def estimate(game: SimilarityGame, passes: int, clock: Clock) -> Additive:
        players = game.players
        rng = np.random.default_rng([SEED, passes])
        image = sample_product(players.n_image, passes, P, rng, complementary=complementary)
        text = sample_product(players.n_text, TEXT_PASSES, P, rng, complementary=complementary)
        a = clock.around(game.image_embeddings, image.coalitions).astype(np.float64)
        b = clock.around(game.text_embeddings, text.coalitions).astype(np.float64)
        samples = TowerSample(image, a, _plane(players)), TowerSample(text, b, _line(players))
        return to_additive(fit(*samples, scale=game.scale, bias=game.bias).coefficients, P)

    return estimate


def _fit_processes(image: TowerSample, text: TowerSample, *, scale: float, bias: float) -> GameFit:
    return fit_towers(image, text, scale=scale, bias=bias).fit


def _plane(players: Players) -> FloatArray:
    rows, columns = np.divmod(np.arange(players.n_image), players.grid[1])
    return np.stack([rows, columns], axis=1).astype(np.float64)


def _line(players: Players) -> FloatArray:
    return np.arange(players.n_text, dtype=np.float64)[:, None]


def _joint(game: SimilarityGame, passes: int, clock: Clock) -> Additive:
    # A coalition and its complement share all even orders: in pairs it would take twice as many.
    rng = np.random.default_rng([SEED, passes])
    sample = sample_product(len(game.players), passes, P, rng, complementary=False)
    return to_additive(fit_joint(sample.coalitions, clock.around(game.value, sample.coalitions), p=P).coefficients, P)


def _peer(name: str, **options: Any) -> Estimator:
    """An approximator of shapiq, whose budget is joint coalitions; the baseline is nan where the index has none."""

    def estimate(game: SimilarityGame, passes: int, clock: Clock) -> Additive:
        n = len(game.players)

        def value(rows: Coalitions) -> FloatArray:
            return clock.around(game.value, np.atleast_2d(rows).astype(bool))

        approximator = getattr(shapiq.approximator, name)(n, 2, random_state=SEED, **options)
        found = approximator.approximate(passes, value)
        first, second = np.zeros(n), np.zeros((n, n))
        for players, worth in found.interactions.items():
            if len(players) == 1:
                first[players[0]] = worth
            elif len(players) == 2:
                second[players[0], players[1]] = second[players[1], players[0]] = worth
        return Additive(float(found.baseline_value) if found.index == "FBII" else float("nan"), first, second)

    return estimate


ESTIMATORS: dict[str, Estimator] = {
    "gp": _factored(_fit_processes),
    "least_squares": _factored(fit_least_squares),
    "wls": _factored(fit_least_squares, complementary=False),
    "joint": _joint,
    # shapiq's: regression, KernelSHAP-IQ and permutations (neither gives FBII: SII is nearest), Monte Carlo.
    "RegressionFBII": _peer("RegressionFBII"),
    "KernelSHAPIQ, SII": _peer("KernelSHAPIQ", index="SII"),
    "PermutationSamplingSII": _peer("PermutationSamplingSII", index="SII"),
    "SHAPIQ, FBII": _peer("SHAPIQ", index="FBII"),
}


if __name__ == "__main__":
    main()
