"""The whole service in one go: a scene with two objects, explained over HTTP by the demo encoder."""

from __future__ import annotations

import io
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from PIL import Image
from rich.console import Console

from fixlip.client import DEFAULT_URL, Client
from fixlip.pages import page_of
from fixlip.reporting import program_name, show_explanation, show_progress
from fixlip.stack import Stack
from fixlip.terminal.text import say
from fixlip_core.defaults import DEFAULT_MODEL
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.explanation import Explanation

__all__ = ["run_demo"]

FRESH_COALITIONS: Final = 2_000

_NEXT_STEPS = """
Your own image, and a real model:
  {program} up --models ViT-B-32/openai        [dim]# or hf-hub:OWNER/NAME, or a directory; fetched once[/]
  {program} explain photo.jpg "a dog on a beach" --model ViT-B-32/openai --watch
The page, once that is up: {page}
"""


def run_demo(console: Console, *, data: Path | None, out: Path, seed: int, budget: int) -> None:
    """Start the stack, explain a scene through it, show and check the answer.

    Args:
        console: where to print.
        data: directory of the stack; None for one that is removed afterwards.
        out: where the scene, the tensor and the maps are written.
        seed: names the scene, and draws the coalitions.
        budget: image passes.

    Raises:
        CommandError: a part of the stack did not start, or the job did not succeed.
    """
    scene = draw_scene(seed, n_objects=2)
    png = _png(Image.fromarray(scene.image))
    out.mkdir(parents=True, exist_ok=True)
    (out / "scene.png").write_bytes(png)
    with ExitStack() as exits:
        if data is None:
            data = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="fixlip-demo-")))
        with console.status("starting Redis, the API and a worker"):
            stack = exits.enter_context(
                Stack(data, environment={"FIXLIP_MODELS": DEFAULT_MODEL, "FIXLIP_MODELS_FILE": ""}, quiet=True)
            )
        console.print(f"the service answers at {stack.url}")
        console.print(f"submitting {out / 'scene.png'} with the caption [bold]{scene.caption}[/]", soft_wrap=True)
        client = exits.enter_context(Client(stack.url, api_key=""))
        job = client.submit(image=png, caption=scene.caption, params={"budget": budget, "seed": seed})
        show_progress(console, job, client.follow(job))
        client.download(job, out)
    explanation = Explanation.load(out / "interactions.npz")
    show_explanation(console, explanation)
    with console.status(f"measuring the faithfulness on {FRESH_COALITIONS:,} fresh coalitions"):
        measured = _measure(Image.fromarray(scene.image), scene.caption, explanation, seed=seed + 1)
    console.print(f"faithfulness, measured on {FRESH_COALITIONS:,} fresh coalitions: {measured}", soft_wrap=True)
    say(console, f"\nthe tensor and the maps are in {out}: begin with {out / 'report.html'}, in a browser")
    console.print(_NEXT_STEPS.format(program=program_name(), page=page_of(DEFAULT_URL)), soft_wrap=True)


def _measure(image: Image.Image, caption: str, explanation: Explanation, *, seed: int) -> str:
    """Agreement of the explanation with the model itself on coalitions that it was not fitted on."""
    import fixlip_core
    from fixlip_core.evaluation import p_faithfulness

    encoder = fixlip_core.load_encoder(DEFAULT_MODEL)
    fit = p_faithfulness(encoder, image, caption, explanation, n_coalitions=FRESH_COALITIONS, seed=seed)
    figures = {
        "R\N{SUPERSCRIPT TWO}": fit.r2,
        "Pearson's r": fit.pearson,
        "Spearman's \N{GREEK SMALL LETTER RHO}": fit.spearman,
    }
    return ", ".join(f"{name} = {value:.4f}" for name, value in figures.items())


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
