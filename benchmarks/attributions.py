"""Time and memory of the attribution methods: ``python -m benchmarks.attributions``.

Shapes are open_clip's, the weights random: neither time nor memory depends on them. Every figure is of a process of its
own; memory is the peak above what the loaded model takes, "in passes" the time in passes of one image and one caption
through the bare towers, in the same process. Then the completeness error of exCLIP on the demo encoder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import fixlip_core as fx
from benchmarks.shapes import random_encoder
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.methods import METHODS

CAPTION = "a small red circle left of a large blue square and a green star above two purple rings"
MODELS = ("ViT-B-32", "ViT-B-16")
SCENES = 20
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(MODELS), help="names of open_clip's architectures")
    parser.add_argument("--methods", nargs="+", default=[n for n, spec in METHODS.items() if spec.needs_attention])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--measure", nargs=2, metavar=("MODEL", "METHOD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure, device=options.device)))
        return
    console = Console(width=120)
    threads = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))
    table = Table(title=f"one explanation, default parameters, fp32, {options.device}, {threads} threads")
    for column in (
        "model",
        "patches",
        "tokens",
        "method",
        "first s",
        "then s",
        "in passes",
        "peak above the model, MB",
    ):
        table.add_column(column, justify="left" if column in ("model", "method") else "right")
    for model in options.models:
        for method in options.methods:
            row = _in_own_process(model, method, options.device)
            seconds = [f"{row['first_s']:.2f}", f"{row['then_s']:.2f}", f"{row['then_s'] / row['pass_s']:.1f}"]
            table.add_row(model, f"{row['patches']:.0f}", f"{row['tokens']:.0f}", method, *seconds, f"{row['mb']:.0f}")
    console.print(table)
    errors = completeness(SCENES)
    console.print(
        f"exCLIP on the demo encoder, {SCENES} scenes: completeness error {np.mean(errors):.2%} on average, "
        f"{np.max(errors):.2%} at most"
    )


def measure(model: str, method: str, *, device: str) -> dict[str, float]:
    """Seconds of a first and a second explanation in this process, and of a pass; the peak above the model, MB."""
    _, encoder = random_encoder(model, device=device)
    image = draw_scene(1).image
    players = encoder.players(CAPTION)
    before = _reset_peak(device)
    first, then = (_seconds(lambda: fx.explain(encoder, image, CAPTION, method=method)) for _ in range(2))
    peak = _peak(device) - before
    everything = np.ones((1, players.n_image), bool), np.ones((1, players.n_text), bool)

    def one_pass() -> None:
        encoder.encode_images(image, everything[0])
        encoder.encode_texts(CAPTION, everything[1])

    return {
        "patches": players.n_image,
        "tokens": players.n_text,
        "first_s": first,
        "then_s": then,
        "pass_s": min(_seconds(one_pass) for _ in range(5)),
        "mb": peak / 1e6,
    }


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def completeness(scenes: int) -> list[float]:
    """The completeness error of exCLIP with its default parameters, on each of the first scenes."""
    encoder = fx.load_encoder("demo")
    errors = []
    for seed in range(scenes):
        scene = draw_scene(seed)
        explanation = fx.explain(encoder, scene.image, scene.caption, method="exclip")
        errors.append(float(explanation.provenance["completeness_error"] or 0))
    return errors


def _in_own_process(model: str, method: str, device: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.attributions", "--measure", model, method, "--device", device]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.strip().split("\n")[-1])
    return measured


def _reset_peak(device: str) -> int:
    """Bytes in use now; the peak is counted from here on. Linux's for the process, torch's for a GPU."""
    if device == "cpu":
        _CLEAR.write_text("5", encoding="ascii")
        return _bytes_of("VmRSS")
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _peak(device: str) -> int:
    return _bytes_of("VmHWM") if device == "cpu" else torch.cuda.max_memory_allocated(device)


def _bytes_of(field: str) -> int:
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
