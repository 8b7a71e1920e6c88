"""What the browser is shown: a picture, captions that would like to be markup, and jobs of every end."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import httpx
from PIL import Image

from fixlip.client import Batch, Client, Job
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.explanation import Explanation
from fixlip_core.formats import from_npz_bytes

__all__ = ["CAPTION", "HOSTILE", "PICTURE", "Samples", "make_samples"]

SCENE: Final = draw_scene(7, n_objects=2)
CAPTION: Final = SCENE.caption
BUDGET: Final[dict[str, Any]] = {"budget": 64}
WITHIN_S: Final = 120.0
HOSTILE: Final = "<img src=x onerror=alert(1)> \"red' </script> \u202ecircle &lt;b&gt;"
"""A caption, an id, a label: whoever makes it markup has a picture that fails to load, or a dialog."""


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


PICTURE: Final = _png(Image.fromarray(SCENE.image))


@dataclass(frozen=True)
class Samples:
    """Jobs that have ended, and a batch.

    Attributes:
        fixlip: an explanation of order 2, evaluated.
        attribution: the same pair by a method that predicts nothing.
        hostile: an explanation of a hostile caption.
        failed: a job that its worker could not do.
        canceled: a job that was called off.
        batch: a batch, one of whose custom ids is hostile.
        truth: what the library reads from the tensor of ``fixlip``.
    """

    fixlip: Job
    attribution: Job
    hostile: Job
    failed: Job
    canceled: Job
    batch: Batch
    truth: Explanation


def make_samples(url: str) -> Samples:
    """Have a service make them, and wait until all have ended."""
    with Client(url) as client:
        return _made_by(client, url)


def _made_by(client: Client, url: str) -> Samples:
    jobs = {
        "fixlip": client.submit(image=PICTURE, caption=CAPTION, params=BUDGET, evaluate=["aid", "confidence"]),
        "attribution": client.submit(image=PICTURE, caption=CAPTION, method="grad_eclip"),
        "hostile": client.submit(
            image=PICTURE, caption=HOSTILE, params=BUDGET, metadata={HOSTILE[:32]: HOSTILE, "note": HOSTILE}
        ),
        # Smaller than a patch, which only the worker, who has the picture before it, can know.
        "failed": client.submit(image=PICTURE, caption=CAPTION, params={**BUDGET, "boxes": [[0, 0, 2, 2]]}),
    }
    batch = client.batches.submit(
        pairs=[
            {"custom_id": "scene", "image": PICTURE, "caption": CAPTION},
            {"custom_id": HOSTILE[:60], "image": PICTURE, "caption": HOSTILE, "metadata": {"note": HOSTILE}},
        ],
        methods=[{"method": "fixlip", "params": BUDGET}, {"method": "grad_eclip"}],
        evaluate=["confidence"],
    )
    last = client.submit(image=PICTURE, caption=CAPTION, params={"budget": 4096, "seed": 9})
    canceled = client.wait(client.cancel(last), within_s=WITHIN_S)
    ended = {name: client.wait(job, within_s=WITHIN_S) for name, job in jobs.items()}
    batch = client.batches.wait(batch, within_s=WITHIN_S)
    tensor = (
        httpx.get(f"{url}/v1/explanations/{ended['fixlip'].id}/interactions.npz", trust_env=False)
        .raise_for_status()
        .content
    )
    return Samples(**ended, canceled=canceled, batch=batch, truth=from_npz_bytes(tensor))
