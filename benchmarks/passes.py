"""Masked passes against the bare towers: ``python -m benchmarks.passes``.

Three tables, each alone with ``--only images|precision|texts``:

* images: masked image passes per second beside open_clip's own ``encode_image``, same batch, same precision, on towers
  of the shape of ViT-B/32 and ViT-B/16 with random weights (what a pass costs does not depend on them);
* precision: bf16 beside fp32 in the same run, and what it does to the demo encoder's explanation;
* texts: all coalitions of a caption with shared beginnings, beside each run by itself, on the text tower of ViT-B/32.

Runs alternate and the fastest of each counts, so that a shared machine's moods fall on both.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import fixlip_core as fx
from benchmarks.shapes import random_encoder
from fixlip_core.coalitions import enumerate_product
from fixlip_core.defaults import PREFIX_OVERHEAD
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders.masked_texts import MaskedLine, MaskedText, MaskedTexts
from fixlip_core.encoders.transformer import TransformerEncoder
from fixlip_core.evaluation import p_faithfulness

POSITIONS = 3_200
REPEATS = 4
TEXT_TOKENS = 10
SCENES = (0, 1, 2)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["images", "precision", "texts"])
    parser.add_argument("--architectures", nargs="+", default=["ViT-B-32", "ViT-B-16"])
    options = parser.parse_args()
    console = Console(width=120)
    console.print(f"{torch.get_num_threads()} threads; bf16 instructions: {_bf16_support()}")
    if options.only in (None, "images"):
        console.print(_images_table(options.architectures))
    if options.only in (None, "texts"):
        console.print(_texts_table())
    if options.only in (None, "precision"):
        console.print(_precision_table())


def fastest(acts: Sequence[Callable[[], object]], *, repeats: int = REPEATS) -> list[float]:
    """Seconds of the fastest run of each act, taken in turns after one of each to warm up."""
    times: list[list[float]] = [[] for _ in acts]
    for turn in range(repeats + 1):
        for act, taken in zip(acts, times, strict=True):
            started = time.perf_counter()
            act()
            if turn:
                taken.append(time.perf_counter() - started)
    return [min(taken) for taken in times]


def _images_table(architectures: Sequence[str]) -> Table:
    table = Table(title="image passes per second")
    for name in ("shape", "precision", "batch", "bare tower", "masked", "masked / bare"):
        table.add_column(name, justify="right")
    for architecture in architectures:
        model, encoder = random_encoder(architecture)
        masked, bare, batch = _image_acts(model, encoder)
        bare_s, masked_s = fastest([bare, masked])
        table.add_row(
            architecture,
            encoder.card.precision,
            f"{batch}",
            f"{batch / bare_s:.1f}",
            f"{batch / masked_s:.1f}",
            f"{bare_s / masked_s:.3f}",
        )
    return table


def _image_acts(model: Any, encoder: TransformerEncoder) -> tuple[Callable[[], object], Callable[[], object], int]:
    """A batch of masked passes, the same batch through open_clip's tower, and its rows."""
    rows, columns = encoder.card.grid
    batch = POSITIONS // (rows * columns)
    view = np.random.default_rng(0).integers(0, 255, (*encoder.card.image_size_px, 3), dtype=np.uint8)
    present = np.random.default_rng(1).random((batch, rows * columns)) < 0.5
    pixels = encoder.image_tower.pictures.pixels(view).repeat(batch, 1, 1, 1).to(encoder.image_tower.dtype)

    def bare() -> object:
        with torch.inference_mode():
            return model.encode_image(pixels, normalize=True)

    return lambda: encoder.encode_images(view, present), bare, batch


def _texts_table() -> Table:
    model, encoder = random_encoder("ViT-B-32")
    images, _, batch = _image_acts(model, encoder)
    caption = " ".join(["red", "blue", "dog", "cat", "house", "tree", "car", "bird", "boat", "sun"][:TEXT_TOKENS])
    every = enumerate_product(TEXT_TOKENS, 0.5).coalitions
    line = MaskedLine(encoder.text_tower, encoder.text_tower.line(caption), replaces=False)
    each = MaskedText(MaskedTexts(encoder.text_tower, POSITIONS, encoder.card.embed_dim), line)

    def alone() -> object:
        return each.rows(every).encode()

    shared_s, alone_s, images_s = fastest([lambda: encoder.encode_texts(caption, every), alone, images])
    # What the plan of passes takes for granted: two positions for each coalition, and their cost in image passes.
    planned_s = 2 * len(every) * encoder.text_cost / PREFIX_OVERHEAD * images_s / batch
    table = Table(title=f"all {len(every):,} coalitions of {TEXT_TOKENS} tokens, text tower of ViT-B/32")
    for name in ("each by itself, s", "shared beginnings, s", "ratio", f"overhead (planned: {PREFIX_OVERHEAD})"):
        table.add_column(name, justify="right")
    table.add_row(f"{alone_s:.2f}", f"{shared_s:.2f}", f"{alone_s / shared_s:.2f}", f"{shared_s / planned_s:.2f}")
    return table


def _precision_table() -> Table:
    table = Table(title="bf16 beside fp32")
    for name in ("what", "fp32", "bf16", "bf16 / fp32"):
        table.add_column(name, justify="right")
    both = [_image_acts(*random_encoder("ViT-B-32", precision=precision)) for precision in ("fp32", "bf16")]
    full_s, half_s = fastest([masked for masked, _, _ in both], repeats=1)
    batch = both[0][2]
    table.add_row(
        "ViT-B/32 image passes per second", f"{batch / full_s:.1f}", f"{batch / half_s:.1f}", f"{full_s / half_s:.2f}"
    )
    reached = np.array([[_measured_r2(seed, precision) for precision in ("fp32", "bf16")] for seed in SCENES])
    full, half = reached.mean(axis=0)
    table.add_row(
        f"R2 of the explanation, mean of {len(SCENES)} scenes", f"{full:.4f}", f"{half:.4f}", f"{half - full:+.4f}"
    )
    return table


def _measured_r2(seed: int, precision: str) -> float:
    """R^2 on fresh coalitions of the fp32 model, of the explanation made in ``precision``."""
    scene = draw_scene(seed, n_objects=3)
    found = fx.explain(fx.load_encoder("demo", precision=precision), scene.image, scene.caption, seed=1_000 + seed)
    return p_faithfulness(fx.load_encoder("demo"), scene.image, scene.caption, found, n_coalitions=1_000, seed=seed).r2


def _bf16_support() -> str:
    native = any(has and "bf16" in feature for feature, has in torch.cpu.get_capabilities().items())
    return f"{'yes' if native else 'no'} ({torch.backends.cpu.get_cpu_capability()})"


if __name__ == "__main__":
    main()
