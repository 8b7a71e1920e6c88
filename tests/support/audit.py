"""Audit records as a worker makes them, for tests of what is done with them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from fixlip_core.audit.canonical import canonical_bytes, parse_json
from fixlip_core.audit.digests import pixels_sha256, text_sha256, values_sha256
from fixlip_core.audit.environment import environment_of
from fixlip_core.audit.record import (
    AuditContent,
    AuditInput,
    AuditJob,
    AuditMethod,
    AuditModel,
    AuditPasses,
    AuditTimings,
    AuditValues,
)
from fixlip_core.audit.sealing import digest_of
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders.card import ModelCard
from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_npz_bytes

__all__ = ["CAPTION", "PARAMS", "changed", "content_of", "png_of_scene", "resealed"]

_AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
_SCENE = draw_scene(7)
CAPTION = _SCENE.caption
PARAMS: dict[str, Any] = {"budget": 32, "text_passes": 16, "seed": 3}


def png_of_scene() -> bytes:
    """A picture that the demo encoder has something to say of, as a file."""
    buffer = io.BytesIO()
    Image.fromarray(_SCENE.image).save(buffer, format="PNG")
    return buffer.getvalue()


def content_of(card: ModelCard, explanation: Explanation, *, image: bytes, caption: str = CAPTION) -> AuditContent:
    """What a record says of an explanation by ``fixlip`` with :data:`PARAMS`."""
    picture = Image.open(io.BytesIO(image))
    return AuditContent(
        job=AuditJob(id="0" * 32, attempt=1, created_at=_AT, started_at=_AT, completed_at=_AT),
        timings=AuditTimings(queue_s=0.5, run_s=2.5, phases={"passes": 1.5}),
        input=AuditInput(
            image_sha256=hashlib.sha256(image).hexdigest(),
            pixels_sha256=pixels_sha256(picture),
            image_size_px=picture.size,
            caption=caption,
            caption_sha256=text_sha256(caption),
        ),
        model=AuditModel(
            id=card.id,
            weights_sha256=card.weights_sha256,
            family=card.family,
            grid=card.grid,
            image_size_px=card.image_size_px,
            logit_scale=card.logit_scale,
            logit_bias=card.logit_bias,
        ),
        method=AuditMethod(name="fixlip", params=PARAMS, evaluate=(), seed=3),
        environment=environment_of(card),
        passes=AuditPasses(image=explanation.image_passes, text=explanation.text_passes, evaluation=None),
        values=AuditValues.of(explanation, sha256=values_sha256(explanation)),
        files={"interactions.npz": hashlib.sha256(to_npz_bytes(explanation)).hexdigest()},
    )


def changed(record: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A record that somebody has changed, and left the seal as it was."""
    raw = parse_json(record)
    change(raw)
    return canonical_bytes(raw)


def resealed(record: bytes, **members: Mapping[str, Any]) -> bytes:
    """A record some of whose parts have other members, with the digest that belongs to that."""

    def change(raw: dict[str, Any]) -> None:
        for part, values in members.items():
            raw[part] |= values
        raw["digest"] = digest_of(raw)

    return changed(record, change)
