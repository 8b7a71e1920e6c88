"""What a batch costs beside a bare loop: ``python -m benchmarks.batches``.

Drawn scenes, each explained by two methods with the demo encoder: one after the other by ``fixlip_core.explain`` in
this process, then as one batch through the whole service with one worker, from the submission to the end of the last
job. Neither draws maps; the service writes files. The throughput of the batch is told as a share of the loop's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

import fixlip_core as fx
from benchmarks.deployment import Deployment, deploy
from benchmarks.workload import Submission, png_of
from fixlip.client import Batch, Client
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.images import decode_image

MAX_IMAGE: Final = 1 << 30
WARM_UP_PAIRS: Final = 2
POLL_S: Final = 0.1


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--budget", type=int, default=512, help="image passes of FIxLIP")
    parser.add_argument("--other", default="exclip", help="the other method")
    options = parser.parse_args()
    methods = [{"method": "fixlip", "params": {"budget": options.budget}}, {"method": options.other, "params": {}}]
    drawn = _pairs(options.pairs + WARM_UP_PAIRS)
    pairs, others = drawn[: options.pairs], drawn[options.pairs :]  # a known answer is no work
    _loop(others, methods)
    loop_s = _timed_loop(pairs, methods)
    with deploy() as service:
        _batch(service, others, methods)
        batch, batch_s = _batch(service, pairs, methods)
        table = _table(batch, loop_s, batch_s)
        table.add_row(
            "of which CPU of each part", json.dumps({name: round(u.cpu_s) for name, u in service.usage().items()})
        )
    Console(width=110).print(table)


def _pairs(count: int) -> list[Submission]:
    scenes = (draw_scene(seed, n_objects=1 + seed % 4) for seed in range(count))
    return [Submission(png_of(scene.image), scene.caption) for scene in scenes]


def _timed_loop(pairs: Sequence[Submission], methods: Sequence[Mapping[str, Any]]) -> float:
    started = time.perf_counter()
    _loop(pairs, methods)
    return time.perf_counter() - started


def _loop(pairs: Sequence[Submission], methods: Sequence[Mapping[str, Any]]) -> None:
    encoder = fx.load_encoder("demo")
    for pair in track(pairs, description="bare loop", transient=True):
        picture = decode_image(pair.image, max_bytes=MAX_IMAGE, max_pixels=MAX_IMAGE)
        for method in methods:
            fx.explain(encoder, picture, pair.caption, method=method["method"], **method["params"])


def _batch(
    service: Deployment, pairs: Sequence[Submission], methods: Sequence[Mapping[str, Any]]
) -> tuple[Batch, float]:
    """The batch as it ended, and its seconds."""
    asked = [{"image": pair.image, "caption": pair.caption} for pair in pairs]
    with Client(str(service.http.base_url)) as client:
        started = time.perf_counter()
        batch = client.batches.submit(pairs=asked, methods=methods)
        while not batch.is_final:
            time.sleep(POLL_S)
            batch = client.batches.get(batch)
        return batch, time.perf_counter() - started


def _table(batch: Batch, loop_s: float, batch_s: float) -> Table:
    counts = batch.request_counts
    table = Table(title=f"{counts.total} explanations; {counts.failed} have failed")
    for name in ("", "as a batch beside a bare loop"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("bare loop", f"{loop_s:.1f} s, {counts.total / loop_s:.2f} a second")
    table.add_row("batch", f"{batch_s:.1f} s, {counts.total / batch_s:.2f} a second")
    table.add_row("throughput of the batch", f"{loop_s / batch_s:.0%}")
    return table


if __name__ == "__main__":
    main()
