"""The audit record: the document ``audit.json``. What :mod:`fixlip_core.audit.sealing` makes of it can be checked."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from fixlip_core.explanation import Explanation

__all__ = [
    "NOT_REPRODUCIBLE",
    "AuditContent",
    "AuditEnvironment",
    "AuditInput",
    "AuditJob",
    "AuditMethod",
    "AuditModel",
    "AuditPasses",
    "AuditRecord",
    "AuditScore",
    "AuditSignature",
    "AuditTimings",
    "AuditValues",
]

NOT_REPRODUCIBLE: Final = frozenset({"job", "timings", "digest", "signature"})
"""Members that differ when the same is computed again; all others are the same."""


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


_MaybeFloat = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A finite number, or null where there is none."""

_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest, 64 hex digits."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, json_schema_serialization_defaults_required=True
    )


class AuditJob(_Part):
    """Which job this was, and when."""

    id: str
    attempt: int = Field(description="Which of its runs gave the answer.")
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    completed_at: AwareDatetime = Field(description="When the answer was complete, just before it was stored.")


class AuditTimings(_Part):
    """Where the time went, in seconds."""

    queue_s: _MaybeFloat
    run_s: _MaybeFloat
    phases: dict[str, float] = Field(description="Seconds by phase: `passes`, `solve`, `render` ...")


class AuditInput(_Part):
    """What was explained."""

    image_sha256: str = Field(description="Digest of the image's bytes as submitted.")
    pixels_sha256: _Sha256 = Field(
        description="Digest of the upright RGB picture in it: `WIDTH x HEIGHT RGB`, a line feed, and the pixels."
    )
    image_size_px: tuple[int, int] = Field(description="Width and height of the picture.")
    caption: str
    caption_sha256: _Sha256


class AuditModel(_Part):
    """The model that explained."""

    id: str
    weights_sha256: str = Field(description="Digest of every weight as it was used, in this precision.")
    family: str
    grid: tuple[int, int] = Field(description="Rows and columns of patches.")
    image_size_px: tuple[int, int] = Field(description="Height and width of what the model sees.")
    logit_scale: float
    logit_bias: float


class AuditMethod(_Part):
    """What was asked for."""

    name: str
    params: dict[str, JsonValue] = Field(description="Every parameter in full.")
    evaluate: tuple[str, ...] = Field(description="The metrics that were asked for.")
    seed: int | None = Field(description="Seed of all random numbers; null: the method has none.")


class AuditEnvironment(_Part):
    """What computed it."""

    fixlip: str | None = Field(description="Version of this package.")
    sources: dict[str, str] = Field(description="Digest of the Python sources, by package.")
    libraries: dict[str, str | None] = Field(description="Versions of the libraries, by name; null: not installed.")
    python: str
    platform: str
    device: str = Field(description="`cpu`, or `cuda` with an index.")
    device_name: str = Field(description="What the device is called, and the instructions that are used of a CPU.")
    precision: str = Field(description="`fp32`, `bf16` or `fp16`.")
    threads: int = Field(description="CPU threads of the forward passes.")


class AuditPasses(_Part):
    """Forward passes that it took."""

    image: int
    text: int
    evaluation: int | None = Field(description="Of the metrics; null where none were asked for.")


class AuditValues(_Part):
    """What came out, in brief."""

    sha256: _Sha256 = Field(
        description="Digest over little-endian float64: baseline, first, second, and their standard errors."
    )
    index: str
    order: int
    tokens: tuple[str, ...] = Field(description="The caption's players.")
    n_image: int = Field(description="Number of the image's players.")
    baseline: _MaybeFloat
    empty_value: float
    full_value: float
    estimated_r2: _MaybeFloat

    @classmethod
    def of(cls, explanation: Explanation, *, sha256: str) -> AuditValues:
        """Those of ``explanation``, whose digest is ``sha256``."""
        return cls(
            sha256=sha256,
            index=explanation.index,
            order=explanation.order,
            tokens=explanation.tokens,
            n_image=explanation.n_image,
            baseline=explanation.baseline,
            empty_value=explanation.empty_value,
            full_value=explanation.full_value,
            estimated_r2=explanation.estimated_r2,
        )


class AuditScore(_Part):
    """One number of a metric."""

    metric: str
    name: str
    value: _MaybeFloat
    ci_low: _MaybeFloat
    ci_high: _MaybeFloat
    higher_is_better: bool
    note: str | None


class AuditSignature(_Part):
    """By whom the record was signed."""

    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: _Sha256 = Field(description="Digest of the 32 bytes of the public key.")
    value: str = Field(description="The 64 bytes of the signature, in base64.")


class AuditContent(_Part):
    """All that a record says."""

    format: Literal["fixlip-audit"] = "fixlip-audit"
    version: Literal[1] = 1
    job: AuditJob
    timings: AuditTimings
    input: AuditInput
    model: AuditModel
    method: AuditMethod
    environment: AuditEnvironment
    passes: AuditPasses
    values: AuditValues
    scores: tuple[AuditScore, ...] = ()
    files: dict[str, str] = Field(description="Digests of the other result files, by name.")


class AuditRecord(AuditContent):
    """A record that can be checked."""

    digest: _Sha256 = Field(description="Of the canonical form (RFC 8785) of all but `digest` and `signature`.")
    signature: AuditSignature | None = Field(
        description="Of the same bytes, by the operator's key; null where there is none."
    )
