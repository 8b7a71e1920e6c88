"""One job's work, from its inputs to the files and the brief that answer it; knows no Redis and no queue."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image
from pydantic import JsonValue

import fixlip_core
from fixlip_core.batching import Batcher
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.evaluation import Evaluation, InsertionDeletion
from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_json_bytes, to_npz_bytes
from fixlip_core.images import decode_image
from fixlip_core.methods import Progress, get_method
from fixlip_core.rendering import RenderedMap
from fixlip_core.types import ImageArray
from service.jobs.evaluations import EVALUATION
from service.jobs.records import Job, JobOutput, JobResult, MapInfo, TopInteraction, TopPlayer
from worker.judging import document_of, scores_of

__all__ = ["Findings", "Outcome", "explain_pair", "outcome_of", "stored_picture"]

TOP: Final = 20
"""Strongest players, and pairs, in the brief."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What the model was needed for.

    Attributes:
        explanation: of the job's pair.
        view: (H, W, 3) uint8, what the model saw.
        evaluation: what the job's metrics say of the explanation; None where it asks for none.
    """

    explanation: Explanation
    view: ImageArray
    evaluation: Evaluation | None = None

    @property
    def curves(self) -> InsertionDeletion | None:
        """The insertion and deletion curves, where the metrics have drawn them."""
        return self.evaluation.curves if self.evaluation else None

    @property
    def image_passes(self) -> int:
        """Forward passes of the image tower in all."""
        return self.explanation.image_passes + (self.evaluation.image_passes if self.evaluation else 0)

    @property
    def text_passes(self) -> int:
        """Forward passes of the text tower in all."""
        return self.explanation.text_passes + (self.evaluation.text_passes if self.evaluation else 0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job gives: ``output`` for its record, ``files`` by name for the store, and the passes it took.

    Those of the evaluation are counted apart; None where there is none.
    """

    output: JobOutput
    files: Mapping[str, bytes]
    forward_passes: int
    evaluation_passes: int | None = None


def stored_picture(image: bytes) -> Image.Image:
    """The picture of a job, from the file that the API has stored of it.

    Raises:
        InvalidImageError: the file is damaged.
    """
    # The API has judged the submitted file by its own limits; what it stored is a larger file of the same picture.
    return decode_image(image, max_bytes=sys.maxsize, max_pixels=sys.maxsize)


def explain_pair(
    encoder: DualEncoder,
    batcher: Batcher,
    job: Job,
    picture: Image.Image,
    params: Mapping[str, JsonValue],
    *,
    check: Callable[[], None],
    report: Progress,
) -> tuple[Explanation, ImageArray]:
    """Explain the job's pair.

    Args:
        encoder: the job's model.
        batcher: the device that it is on, which fills its batches from all jobs.
        job: the job's record.
        picture: the job's.
        params: the method's parameters in full; they were checked when the job was submitted.
        check: called while the job waits for the device; what it raises stops the work.
        report: called between batches with (completed, total) forward passes; what it raises stops the work.

    Returns:
        The explanation, and the (H, W, 3) uint8 view of the image that the model had.

    Raises:
        FixlipError: the inputs cannot be explained.
    """
    face = batcher.encoder_for(encoder, client=job.id, check=check)
    parameters: dict[str, Any] = dict(params)

    def explain(progress: Progress) -> Explanation:
        return fixlip_core.explain(face, picture, job.input.caption, method=job.method, progress=progress, **parameters)

    if not get_method(job.method).needs_attention:
        return explain(report), face.view(picture)
    with batcher.turn(check) as turn:

        def pass_on(completed: int, total: int) -> None:
            report(completed, total)
            turn.pass_on()

        return explain(pass_on), face.view(picture)


def outcome_of(job: Job, findings: Findings, maps: Mapping[str, RenderedMap]) -> Outcome:
    """The answer to a job: its record's part, and its files.

    Args:
        job: its record.
        findings: what was found.
        maps: the drawn maps by name.
    """
    explanation, evaluation = findings.explanation, findings.evaluation
    output = _brief(explanation, maps)
    files = {
        "interactions.npz": to_npz_bytes(explanation),
        "interactions.json": to_json_bytes(explanation),
        "view.png": _png(findings.view),
        **{f"maps/{name}.png": rendered.png for name, rendered in maps.items()},
        **{f"maps/{name}.svg": rendered.svg for name, rendered in maps.items()},
    }
    passes = None
    if evaluation is not None:
        output = output.model_copy(update={"evaluation": scores_of(evaluation)})
        files[EVALUATION] = document_of(job, explanation, evaluation).model_dump_json(indent=2).encode()
        passes = evaluation.image_passes + evaluation.text_passes
    files["result.json"] = _result(job, output, explanation).model_dump_json(indent=2).encode()
    return Outcome(output, files, explanation.image_passes + explanation.text_passes, passes)


def _result(job: Job, output: JobOutput, explanation: Explanation) -> JobResult:
    return JobResult(
        **dict(output),
        model=job.model,
        method=job.method,
        params=job.params,
        input=job.input,
        provenance=dict(explanation.provenance),
    )


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
