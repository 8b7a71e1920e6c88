"""Caption retrieval of the demo encoder: ``python -m benchmarks.retrieval``.

Top-1 retrieval of the right caption among 50 (49 of other scenes) on 1,000 scenes that training never drew.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from tqdm import tqdm

import fixlip_core as fx
from fixlip_core.demo.retrieval import top1_among
from fixlip_core.demo.scenes import draw_scene

FIRST_SEED = 500_000


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=1_000)
    parser.add_argument("--captions", type=int, default=50)
    parser.add_argument("--model", default="demo")
    options = parser.parse_args()
    started = time.monotonic()
    encoder = fx.load_encoder(options.model)
    scenes = [draw_scene(FIRST_SEED + k) for k in range(options.scenes)]
    images, captions = [], []
    for scene in tqdm(scenes, desc="encode", mininterval=1):
        players = encoder.players(scene.caption)
        images.append(encoder.encode_images(scene.image, np.ones((1, players.n_image), bool))[0])
        captions.append(encoder.encode_texts(scene.caption, np.ones((1, players.n_text), bool))[0])
    found = top1_among(
        np.stack(images),
        np.stack(captions),
        [scene.content for scene in scenes],
        n_captions=options.captions,
        seed=0,
    )
    print(f"model {options.model} ({encoder.card.revision}), {options.scenes} scenes, seeds from {FIRST_SEED}")
    print(f"top-1 among {options.captions} captions: {found}; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
