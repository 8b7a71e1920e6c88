"""What an explanation of a large grid costs beside the passes: ``python -m benchmarks.grids``.

Towers are random two-layer networks of the coalition, of 512 dimensions, so that no model is needed: the time is that
of the estimator alone. 1,024 image coalitions; the text sampled (1,024 coalitions of 20 tokens) or enumerated (11
tokens). Each case has a process of its own, so that the peak of memory is its own. "Shapley" is what FSII takes on top
of the fit.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from fixlip_core.coalitions import CoalitionSample, enumerate_product, sample_product
from fixlip_core.estimators import TowerSample, fit_shapley, fit_towers
from fixlip_core.types import FloatArray

# Side of the grid, tokens, whether the text is enumerated.
CASES = ((14, 20, False), (14, 11, True), (24, 20, False))
IMAGE_PASSES, TEXT_PASSES = 1_024, 1_024
DIMENSIONS, HIDDEN = 512, 256
P = 0.5


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", type=int, nargs="+", choices=range(len(CASES)), default=list(range(len(CASES))))
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        _measure(*CASES[options.measure])
        return
    table = Table(title=f"estimator gp at {IMAGE_PASSES:,} image passes, the passes themselves left out")
    for name in ("patches", "tokens", "text", "pairs", "fit, s", "Shapley, s", "peak memory, MB"):
        table.add_column(name, justify="right")
    for case in options.case:
        command = [sys.executable, "-m", "benchmarks.grids", "--measure", str(case)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        table.add_row(*json.loads(done.stdout))
    Console(width=110).print(table)


def _measure(side: int, n_text: int, text_enumerated: bool) -> None:
    """Print the JSON row of one case."""
    n = side**2
    rng = np.random.default_rng(0)
    texts = enumerate_product(n_text, P) if text_enumerated else sample_product(n_text, TEXT_PASSES, P, rng)
    plane = np.stack(np.divmod(np.arange(n), side), axis=1).astype(np.float64)
    image = _tower(sample_product(n, IMAGE_PASSES, P, rng), plane, seed=1)
    text = _tower(texts, np.arange(n_text, dtype=np.float64)[:, None], seed=2)
    started = time.perf_counter()
    fitted = fit_towers(image, text, scale=100.0, bias=0.0)
    between = time.perf_counter()
    fit_shapley(fitted, empty_value=0.0, full_value=1.0)
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    players = n + n_text
    kind = "enumerated" if text_enumerated else "sampled"
    times = f"{between - started:.1f}", f"{ended - between:.1f}"
    print(json.dumps([f"{n}", f"{n_text}", kind, f"{players * (players - 1) // 2:,}", *times, f"{peak:.0f}"]))


def _tower(sample: CoalitionSample, places: FloatArray, *, seed: int) -> TowerSample:
    """Unit vectors of a random network that has interactions of every order."""
    rng = np.random.default_rng(seed)
    n = sample.coalitions.shape[1]
    hidden, shift = rng.normal(size=(n, HIDDEN)) / np.sqrt(n), rng.normal(size=HIDDEN)
    embeddings = np.tanh(2 * sample.coalitions @ hidden + shift) @ rng.normal(size=(HIDDEN, DIMENSIONS))
    return TowerSample(sample, embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True), places)


if __name__ == "__main__":
    main()
