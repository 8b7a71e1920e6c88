"""The document ``report.json``: everything that is drawn of an explanation; ``web/src/explanation`` reads it."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from PIL import Image
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fixlip_core.errors import InvalidImageError
from fixlip_core.explanation import Explanation
from fixlip_core.types import FloatArray, ImageArray

__all__ = ["FORMAT", "ReportedExplanation", "ReportedImage", "ReportedPairs", "report_document"]

FORMAT: Final = 1
"""Version of the document."""


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


_MaybeFloat = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A finite number, or null where there is none."""

_Floats = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
"""Base64 of float32 values, little-endian, one after another; nan where one is unknown."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class ReportedPairs(_Part):
    """The values of all pairs of players i < j: (0, 1), (0, 2), ..., (1, 2), ..."""

    values: _Floats = Field(description="Base64 of little-endian float32, n (n - 1) / 2 of them.")
    std_errors: _Floats | None = Field(description="Likewise; null where the solver gives none.")


class ReportedExplanation(_Part):
    """An explanation, its values rounded to float32. Players are those of the image, then those of the text."""

    method: str
    index: str = Field(description="What the values are: `WFBII`, `FSII` ..., or the name of an attribution.")
    additive: bool = Field(description="Whether the values add up to a model of the score.")
    order: Literal[1, 2] = Field(description="Highest order of interaction.")
    p: _MaybeFloat = Field(description="Probability of presence under which values were fitted; null: another measure.")
    score: str = Field(description="`logit` or `cosine`: what the values are in units of.")
    tokens: tuple[str, ...] = Field(description="The caption's players: tokens or words.")
    grid: tuple[int, int] = Field(description="Rows and columns of patches.")
    regions: tuple[int, ...] = Field(
        description="The image player of every patch, row-major; empty where every patch is one."
    )
    labels: tuple[str, ...] = Field(description="What every player is called.")
    baseline: _MaybeFloat = Field(description="Predicted score of the empty coalition; null for an attribution.")
    empty_value: float = Field(description="Score with every player removed.")
    full_value: float = Field(description="Score with every player present.")
    estimated_r2: _MaybeFloat = Field(description="Leave-one-out estimate of the fit; null if unknown.")
    image_passes: int
    text_passes: int
    first: _Floats = Field(description="The players' own values: base64 of little-endian float32, n of them.")
    first_std_error: _Floats | None = Field(description="Likewise; null where the solver gives none.")
    main_effects: _Floats = Field(description="The first-order view, likewise: own values and a share of the pairs'.")
    pairs: ReportedPairs | None = Field(description="Null at order 1, and with `pairs=false`.")
    provenance: dict[str, str | int | _MaybeFloat] = Field(
        description="Seed, device, dtype, digests and library versions."
    )

    @classmethod
    def of(cls, explanation: Explanation, *, pairs: bool = True) -> Self:
        """``explanation``, with the values of its pairs if ``pairs`` are wanted and there are some."""
        label, order = explanation.players.label, explanation.order
        return cls(
            method=explanation.method,
            index=explanation.index,
            additive=explanation.additive,
            order=1 if order == 1 else 2,
            p=explanation.p,
            score=explanation.score,
            tokens=explanation.tokens,
            grid=explanation.grid,
            regions=explanation.regions,
            labels=tuple(label(player) for player in range(explanation.n_players)),
            baseline=explanation.baseline,
            empty_value=explanation.empty_value,
            full_value=explanation.full_value,
            estimated_r2=explanation.estimated_r2,
            image_passes=explanation.image_passes,
            text_passes=explanation.text_passes,
            first=_encoded(explanation.first),
            first_std_error=_known(explanation.first_std_error),
            main_effects=_encoded(explanation.main_effects()),
            pairs=_pairs(explanation) if pairs and order == 2 else None,
            provenance=dict(explanation.provenance),
        )


class ReportedImage(_Part):
    """What the model saw of the picture, over which the grid lies."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    data_url: str | None = Field(description="The picture as a `data:` URL; null where it is to be fetched.")

    @classmethod
    def of(cls, image: ImageArray | bytes, *, embed: bool = True) -> Self:
        """``image``, (H, W, 3) uint8 or a PNG file of it, which is in the document if it is to be embedded.

        Raises:
            InvalidImageError: it is neither.
        """
        png = image if isinstance(image, bytes) else _png(image)
        try:
            with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:  # its header alone
                width, height = picture.size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise InvalidImageError(f"the view is no PNG that can be read: {error}") from error
        data_url = f"data:image/png;base64,{base64.b64encode(png).decode()}" if embed else None
        return cls(width=width, height=height, data_url=data_url)


def report_document(
    explanation: Explanation,
    image: ImageArray | bytes,
    *,
    pairs: bool = True,
    embed_image: bool = True,
    job: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None,
    audit: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Everything that is drawn of an explanation, as JSON values.

    Args:
        explanation: what is shown.
        image: the model's view of the picture, as ``encoder.view`` gives it: (H, W, 3) uint8, or a PNG file of it.
        pairs: whether the values of pairs are wanted, of which there are n (n - 1) / 2, and the evaluation's subsets.
        embed_image: whether the picture is to be in the document.
        job: of a job of the service, its record: ``id``, ``model``, ``method``, ``params``, ``input`` and so on.
        evaluation: its document ``evaluation.json``.
        audit: its document ``audit.json``.

    Raises:
        InvalidImageError: ``image`` is neither such an array nor a PNG file.
    """
    return {
        "format": FORMAT,
        "explanation": ReportedExplanation.of(explanation, pairs=pairs).model_dump(mode="json"),
        "image": ReportedImage.of(image, embed=embed_image).model_dump(mode="json"),
        "job": None if job is None else dict(job),
        "evaluation": None if evaluation is None else dict(evaluation if pairs else _without_subsets(evaluation)),
        "audit": None if audit is None else dict(audit),
    }


def _pairs(explanation: Explanation) -> ReportedPairs:
    upper = np.triu_indices(explanation.n_players, 1)
    return ReportedPairs(
        values=_encoded(explanation.second[upper]), std_errors=_known(explanation.second_std_error[upper])
    )


def _without_subsets(evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
    curves = evaluation.get("insertion_deletion")
    return {**evaluation, "insertion_deletion": curves and {**curves, "subsets": None}}


def _encoded(values: FloatArray) -> str:
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode()


def _known(values: FloatArray) -> str | None:
    return None if np.isnan(values).all() else _encoded(values)


def _png(image: ImageArray) -> bytes:
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise InvalidImageError(
            f"image must be the model's view, (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}: see encoder.view"
        )
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
