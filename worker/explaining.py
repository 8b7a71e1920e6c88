"""One job's work, from its inputs to the files and the brief that answer it; knows no Redis and no queue."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image
from pydantic import JsonValue

import fixlip_core
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import UnknownModelError
from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_json_bytes, to_npz_bytes
from fixlip_core.images import decode_image
from fixlip_core.methods import Progress
from fixlip_core.rendering import RenderedMap, render_maps
from fixlip_core.types import ImageArray
from service.jobs.records import Job, JobOutput, JobResult, MapInfo, TopInteraction, TopPlayer

__all__ = ["Outcome", "choose_encoder", "explain_job"]

TOP: Final = 20
"""Strongest players, and pairs, in the brief."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job gives: ``output`` for its record, ``files`` by name for the artifact store, and the passes it took."""

    output: JobOutput
    files: Mapping[str, bytes]
    forward_passes: int


def choose_encoder(encoders: Mapping[str, DualEncoder], job: Job) -> DualEncoder:
    """The encoder that the job asks for, in the very revision that it was promised.

    Raises:
        UnknownModelError: it is not loaded here, or its weights have changed since the job was submitted.
    """
    encoder = encoders.get(job.model.id)
    if encoder is None:
        raise UnknownModelError(f"model {job.model.id!r} is not served; served models: {', '.join(sorted(encoders))}")
    if encoder.card.revision != job.model.revision:
        raise UnknownModelError(
            f"model {job.model.id!r} is served in revision {encoder.card.revision}, not {job.model.revision}: "
            "its weights changed after the job was submitted; submit it again",
            code="model_changed",
        )
    return encoder


def explain_job(
    encoder: DualEncoder, job: Job, image: bytes, params: Mapping[str, JsonValue], progress: Progress
) -> Outcome:
    """Explain the job's pair and draw its maps.

    Args:
        encoder: the job's model.
        job: its record.
        image: the stored input image, encoded.
        params: the method's parameters in full; they were checked when the job was submitted.
        progress: called between batches; what it raises stops the work.

    Raises:
        FixlipError: the inputs cannot be explained.
    """
    # The API has judged the submitted file by its own limits; what it stored is a larger file of the same picture.
    picture = decode_image(image, max_bytes=sys.maxsize, max_pixels=sys.maxsize)
    parameters: dict[str, Any] = dict(params)
    explanation = fixlip_core.explain(
        encoder, picture, job.input.caption, method=job.method, progress=progress, **parameters
    )
    view = encoder.view(picture)
    maps = render_maps(explanation, view)
    output = _brief(explanation, maps)
    result = JobResult(
        **dict(output),
        model=job.model,
        method=job.method,
        params=job.params,
        input=job.input,
        provenance=dict(explanation.provenance),
    )
    files = {
        "interactions.npz": to_npz_bytes(explanation),
        "interactions.json": to_json_bytes(explanation),
        "result.json": result.model_dump_json(indent=2).encode(),
        "view.png": _png(view),
        **{f"maps/{name}.png": rendered.png for name, rendered in maps.items()},
    }
    return Outcome(output, files, explanation.image_passes + explanation.text_passes)


def _brief(explanation: Explanation, maps: Mapping[str, RenderedMap]) -> JobOutput:
    return JobOutput(
        index=explanation.index,
        order=explanation.order,
        tokens=explanation.tokens,
        grid=explanation.grid,
        regions=explanation.regions,
        region_labels=explanation.region_labels,
        empty_value=explanation.empty_value,
        full_value=explanation.full_value,
        baseline=explanation.baseline,
        estimated_r2=explanation.estimated_r2,
        image_passes=explanation.image_passes,
        text_passes=explanation.text_passes,
        maps=tuple(MapInfo(name=name, title=rendered.title) for name, rendered in maps.items()),
        top_players=_strongest_players(explanation),
        top_interactions=_strongest_pairs(explanation),
    )


def _strongest_players(explanation: Explanation) -> tuple[TopPlayer, ...]:
    effects, label = explanation.main_effects(), explanation.players.label
    # At order 2 a main effect is a sum of values whose errors go together.
    errors = explanation.first_std_error if explanation.order == 1 else np.full_like(effects, np.nan)
    strongest = np.argsort(-np.abs(effects), kind="stable")[:TOP].tolist()
    return tuple(
        TopPlayer(label=label(i), player=i, value=float(effects[i]), std_error=float(errors[i])) for i in strongest
    )


def _strongest_pairs(explanation: Explanation) -> tuple[TopInteraction, ...]:
    if explanation.order == 1:
        return ()
    pairs = explanation.top_interactions(TOP, cross_modal=not explanation.additive)
    return tuple(
        TopInteraction(labels=pair.labels, players=pair.players, value=pair.value, std_error=pair.std_error)
        for pair in pairs
    )


def _png(pixels: ImageArray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()
