"""What queue, store and rendering add to the passes: ``python -m benchmarks.overhead``.

A job of 512 image passes on towers of the shape of ViT-B/32 (random weights, CPU, fp32) goes through the real service,
and the same pair through ``fixlip_core.explain`` in this process, in turns; the fastest of each counts. The overhead is
the share of the job's wall time, from the submission to the final status, in which the library alone would have been
done. Then the job's parts, as they take one after the other outside the service.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

import fixlip_core as fx
from benchmarks.deployment import Deployment, deploy
from benchmarks.shapes import MODEL_ID, write_models_file
from benchmarks.workload import Finished, Submission, finish, png_of, submit
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.formats import to_json_bytes, to_npz_bytes
from fixlip_core.images import decode_image
from fixlip_core.rendering.pool import RenderPool
from service.jobs.storage.bundle import pack
from service.jobs.storage.objects import Objects
from worker.models_file import load_model, read_models_file

CAPTION = "a small red circle left of a large blue square"
MAX_IMAGE = 1 << 30
_T = TypeVar("_T")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="ViT-B-32")
    parser.add_argument("--budget", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    job = Submission(png_of(draw_scene(1).image), CAPTION, params={"budget": options.budget}, model=MODEL_ID)
    with tempfile.TemporaryDirectory(prefix="fixlip-benchmark-") as folder:
        file = write_models_file(Path(folder), options.architecture)
        encoder = load_model(read_models_file(file)[MODEL_ID], file=file, device="cpu", precision="fp32")
        with deploy({"FIXLIP_MODELS_FILE": str(file), "FIXLIP_MODELS": ""}) as service:
            jobs, library_s = _in_turns(service, encoder, job, options.repeats)
            parts = _parts(encoder, job, service.data)
    best = min(jobs, key=lambda done: done.wall_s)
    console = Console(width=110)
    console.print(_table(f"{options.architecture}, {options.budget} image passes", best, min(library_s), parts))


def _in_turns(
    service: Deployment, encoder: fx.DualEncoder, job: Submission, repeats: int
) -> tuple[list[Finished], list[float]]:
    """The jobs as they ended, and seconds of the library alone; each has been warmed up."""
    picture = decode_image(job.image, max_bytes=MAX_IMAGE, max_pixels=MAX_IMAGE)
    jobs, library_s = [], []
    for turn in range(repeats + 1):
        (done,) = finish(service.http, [submit(service.http, job)])
        if done.status != "succeeded":
            raise RuntimeError(f"the job ended {done.status} {done.code}")
        seconds, _ = _timed(lambda: fx.explain(encoder, picture, job.caption, **job.params))
        if turn:
            jobs.append(done)
            library_s.append(seconds)
    return jobs, library_s


def _parts(encoder: fx.DualEncoder, job: Submission, data: Path) -> dict[str, float]:
    """Seconds of each part of the job outside the service, one after the other."""
    made, last_pass = 0, 0.0

    def note(completed: int, _: int) -> None:
        # The estimator says that it is done with a last call, which passes nothing.
        nonlocal made, last_pass
        if completed != made:
            made, last_pass = completed, time.perf_counter()

    load_s, picture = _timed(lambda: decode_image(job.image, max_bytes=MAX_IMAGE, max_pixels=MAX_IMAGE))
    started = time.perf_counter()
    explain_s, explanation = _timed(lambda: fx.explain(encoder, picture, job.caption, progress=note, **job.params))
    passes_s = last_pass - started
    with RenderPool() as pool:
        pool.render(explanation, encoder.view(picture))  # fonts and the like are read by the first
        render_s, maps = _timed(lambda: pool.render(explanation, encoder.view(picture)))
    files_s, files = _timed(
        lambda: {"interactions.npz": to_npz_bytes(explanation), "interactions.json": to_json_bytes(explanation)}
    )
    files |= {f"maps/{name}.png": rendered.png for name, rendered in maps.items()}
    store_s, _ = _timed(lambda: Objects(data / "beside").put("bundle", pack(files)[1]))
    return {
        "load the image": load_s,
        "passes": passes_s,
        "solve": explain_s - passes_s,
        f"draw {len(maps)} maps": render_s,
        "other files": files_s,
        f"store {sum(map(len, files.values())) / 1e6:.1f} MB": store_s,
    }


def _timed(act: Callable[[], _T]) -> tuple[float, _T]:
    started = time.perf_counter()
    result = act()
    return time.perf_counter() - started, result


def _table(title: str, job: Finished, library_s: float, parts: dict[str, float]) -> Table:
    table = Table(title=f"{title}, {job.forward_passes} passes of both towers")
    for name in ("", "seconds", "share of the job"):
        table.add_column(name, justify="left" if not name else "right")
    rows = {
        "the job, from submission to end": job.wall_s,
        "  of which queued": job.queue_s,
        "  of which run": job.run_s,
        "fixlip_core.explain alone": library_s,
        "overhead": job.wall_s - library_s,
        **{f"  {name}, alone": seconds for name, seconds in parts.items()},
    }
    for name, seconds in rows.items():
        table.add_row(name, f"{seconds:.3f}", f"{seconds / job.wall_s:.1%}")
    return table


if __name__ == "__main__":
    main()
