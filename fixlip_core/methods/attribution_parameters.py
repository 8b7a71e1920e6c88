"""Parameters of the attribution methods, which read the towers' gradients and attention.

Blocks are counted from a tower's end, so that one number fits towers of different depth: -1 is the last block.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from fixlip_core.methods.parameters import MethodParameters

__all__ = [
    "ExclipParameters",
    "GameParameters",
    "GradEclipParameters",
    "LegradParameters",
    "M2ibParameters",
    "NibParameters",
]

_DEEPEST: Final = -128
_SCORE: Final = "What is attributed: the cosine, or the model's logit (scale times the cosine)."
_SEED_END: Final = 2**32


class ExclipParameters(MethodParameters):
    """Parameters of exCLIP (arXiv 2408.14153)."""

    steps: int = Field(10, ge=1, le=256, description="Midpoints between the reference and the input, in each tower.")
    rule: Literal["fitted", "midpoint"] = Field(
        "fitted",
        description="Weights of the midpoints: fitted to the embeddings' known change, or equal.",
    )
    block: int = Field(
        -1,
        ge=_DEEPEST,
        le=-1,
        description="Block whose input is attributed, from the end; a shallower tower: its first.",
    )
    score: Literal["cosine", "logit"] = Field("cosine", description=_SCORE)


class M2ibParameters(MethodParameters):
    """Parameters of M2IB (arXiv 2312.17174). Its values are nats of information, whatever the score."""

    block: int | None = Field(
        None,
        ge=_DEEPEST,
        le=-2,
        description="Block whose output noise is added to, from the end; by default the 10th of 12, or the last but "
        "two. Not the last: no block would be left to read the noise.",
    )
    steps: int = Field(10, ge=1, le=1_000, description="Steps of the optimiser.")
    copies: int = Field(10, ge=1, le=64, description="Noisy copies in each step.")
    beta: float = Field(0.1, ge=0, le=100, description="Weight of the information that is kept against the cosine.")
    learning_rate: float = Field(1.0, gt=0, le=100, description="Of the optimiser, which is Adam.")
    seed: int = Field(0, ge=0, lt=_SEED_END, description="Seed of the noise: same seed, same explanation.")


class NibParameters(MethodParameters):
    """Parameters of NIB (arXiv 2502.14889)."""

    steps: int = Field(10, ge=1, le=256, description="Widths of the bottleneck, from 1/steps to 1.")
    block: int | None = Field(
        None,
        ge=_DEEPEST,
        le=-2,
        description="Block whose input is narrowed, from the end; by default the 10th of 12, or the last but "
        "one. Not the last: it sees patches through a normalisation alone, which no width changes.",
    )
    score: Literal["cosine", "logit"] = Field("cosine", description=_SCORE)


class GradEclipParameters(MethodParameters):
    """Parameters of Grad-ECLIP (arXiv 2502.18816)."""

    variant: Literal["multi_head", "published"] = Field(
        "multi_head", description="The model's own attention, or the published code's, recomputed with a single head."
    )
    text_blocks: int = Field(8, ge=1, le=-_DEEPEST, description="Last blocks of the text tower that are summed.")
    score: Literal["cosine", "logit"] = Field("cosine", description=_SCORE)


class GameParameters(MethodParameters):
    """Parameters of GAME, generic attention explainability (arXiv 2103.15679)."""

    block: int = Field(
        -1, ge=_DEEPEST, le=-1, description="First block of the rollout, from the end; a shallower tower: its first."
    )
    score: Literal["cosine", "logit"] = Field("logit", description=_SCORE)


class LegradParameters(MethodParameters):
    """Parameters of LeGrad (arXiv 2404.03214)."""

    block: int = Field(
        -2, ge=_DEEPEST, le=-1, description="First block that counts, from the end; a shallower tower: its first."
    )
    score: Literal["cosine", "logit"] = Field("cosine", description=_SCORE)
