"""How far explanations are apart that were computed elsewhere: ``python -m benchmarks.reproducibility``.

Other CPUs have other instructions, with which torch adds in another order. This machine is told to do without its own,
and to take other numbers of threads, in processes of their own; what they find is compared with what it finds else.
So is what bfloat16 finds: two computations that round so are about as far from each other as from that.
`docs/audit.md` has the tolerances that follow.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from fixlip_core.audit.comparing import TOLERANCE, distance
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.explanation import Explanation
from fixlip_core.methods import METHODS

__all__ = ["PLACES", "WORK", "greatest_distances"]

PLACES: Final[dict[str, dict[str, str]]] = {
    "as it is": {"OMP_NUM_THREADS": "2"},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "three threads": {"OMP_NUM_THREADS": "3"},
    "AVX2": {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "no vectors": {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    "bf16": {"OMP_NUM_THREADS": "2"},
}
"""Environments of torch, by what they stand for; the first is what the others are compared with."""

WORK: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    **{name: (name, {}) for name in METHODS if name != "fixlip"},
    "fixlip, 128 passes": ("fixlip", {"budget": 128}),
    "fixlip, 512 passes": ("fixlip", {"budget": 512}),
    "fixlip, Shapley": ("fixlip", {"index": "shapley", "budget": 256}),
    "fixlip, order 1": ("fixlip", {"order": 1, "budget": 128}),
}
"""What is computed, by a name: a method and its parameters."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=3)
    parser.add_argument("--only", choices=WORK, help="this work alone")
    parser.add_argument("--compute", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--precision", default="fp32", help=argparse.SUPPRESS)
    options = parser.parse_args()
    work = [options.only] if options.only else list(WORK)
    if options.compute:
        _compute(options.compute, work, options.precision, options.scenes)
        return
    table = Table("share of the largest value", *list(PLACES)[1:])
    for name, found in greatest_distances(work, scenes=options.scenes).items():
        table.add_row(name, *(f"{distance:.1e}" if distance else "same bits" for distance in found))
    Console().print(table)
    Console().print(f"tolerances: {', '.join(f'{precision} {most:g}' for precision, most in TOLERANCE.items())}")


def greatest_distances(work: list[str], *, scenes: int) -> dict[str, list[float]]:
    """The greatest distance of any scene, for each work in each place but the first.

    Args:
        work: names of :data:`WORK`.
        scenes: how many scenes, from the first.

    Raises:
        subprocess.CalledProcessError: a process failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        roots = {place: Path(folder) / place for place in PLACES}
        for place, variables in PLACES.items():
            roots[place].mkdir()
            command = [sys.executable, "-m", "benchmarks.reproducibility", "--compute", str(roots[place])]
            command += ["--precision", "bf16" if place == "bf16" else "fp32", "--scenes", str(scenes)]
            command += ["--only", work[0]] if len(work) == 1 else []
            subprocess.run(command, env={**os.environ, **variables}, check=True)
        here, *others = roots.values()
        return {name: [_distance(here, there, name, scenes) for there in others] for name in work}


def _distance(here: Path, there: Path, name: str, scenes: int) -> float:
    files = [f"{name} {seed}.npz" for seed in range(scenes)]
    return max(distance(Explanation.load(here / file), Explanation.load(there / file)) for file in files)


def _compute(root: Path, work: list[str], precision: str, scenes: int) -> None:
    """Write the explanations, in a process that has its environment."""
    import fixlip_core

    encoder = fixlip_core.load_encoder("demo", precision=precision)
    for seed in range(scenes):
        scene = draw_scene(seed, n_objects=2)
        for name in work:
            method, parameters = WORK[name]
            explanation = fixlip_core.explain(encoder, scene.image, scene.caption, method=method, **parameters)
            explanation.save(root / f"{name} {seed}.npz")


if __name__ == "__main__":
    main()
