"""The operator's models file: which models a worker serves, where their weights are, and that they are the right ones.

    [[model]]
    id = "siglip2"
    architecture = "ViT-B-16-SigLIP2"
    weights = "weights/siglip2.safetensors"
    sha256 = "..."
    tokenizer = "weights/siglip2/tokenizer.json"

Clients choose among the ids and can name nothing else.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import fixlip_core
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.encoders.sources import CHECKPOINT_SUFFIXES, DEMO, HUB
from fixlip_core.encoders.tokenizer import CLIP_BPE, TokenizerName
from fixlip_core.errors import (
    FixlipError,
    InvalidParameterError,
    TokenizerNotFoundError,
    UnknownModelError,
    UnsupportedModelError,
    WeightsDigestError,
)

__all__ = ["ModelEntry", "ModelsFileError", "load_model", "read_models_file"]


class ModelsFileError(FixlipError):
    """The models file cannot be read, or one of its models cannot be served; the message names file, id and key."""

    code = "invalid_models_file"


class ModelEntry(BaseModel):
    """A model that the operator serves.

    Attributes:
        id: what clients call it.
        architecture: open_clip's name; not for weights that bring their own config (``demo``, a hub id, a directory).
        weights: a pretrained tag of the architecture, the path of a checkpoint or of a model's directory, or
            ``hf-hub:OWNER/NAME``. What has a slash or a checkpoint's suffix is a path.
        sha256: digest of the checkpoint file; required where it is named by a path.
        tokenizer: path of a ``tokenizer.json`` or of its directory, where the config's own is not to be taken.
        precision: ``fp32``, ``bf16`` or ``fp16``; by default the worker's.
        device: ``cpu``, ``cuda`` or ``cuda:1``; by default the worker's.
        grid: rows and columns of the patches of a model without patches of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
    architecture: Annotated[str, Field(min_length=1)] | None = None
    weights: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    tokenizer: Annotated[str, Field(min_length=1)] | None = None
    precision: Literal["fp32", "bf16", "fp16"] | None = None
    device: Annotated[str, Field(pattern=r"^(cpu|cuda(:\d+)?)$")] | None = None
    grid: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None

    @property
    def is_path(self) -> bool:
        """Whether the weights are a path."""
        weights = self.weights
        return not weights.startswith(HUB) and ("/" in weights or weights.endswith(CHECKPOINT_SUFFIXES))

    @property
    def name(self) -> str:
        """What :func:`fixlip_core.load_encoder` calls it."""
        return self.weights if self.architecture is None else f"{self.architecture}/{self.weights}"

    @model_validator(mode="after")
    def _check_keys_together(self) -> Self:
        has_config = self.weights == DEMO or self.weights.startswith(HUB)
        if has_config and self.architecture is not None:
            raise ValueError(f"architecture: {self.weights} brings its own; leave it out")
        may_be_directory = self.is_path and not self.weights.endswith(CHECKPOINT_SUFFIXES)
        if self.architecture is None and not has_config and not may_be_directory:
            raise ValueError("architecture: required, for the weights are a pretrained tag or a checkpoint file")
        if self.is_path and self.sha256 is None:
            raise ValueError("sha256: required, for the weights are a path")
        return self

    def within(self, folder: Path) -> ModelEntry:
        """The entry with its relative paths taken from ``folder``."""
        changes: dict[str, str] = {}
        if self.is_path:
            changes["weights"] = str(folder / self.weights)
        if self.tokenizer is not None:
            source = TokenizerName.parse(self.tokenizer).source
            if source != CLIP_BPE:
                changes["tokenizer"] = f"{self.tokenizer.removesuffix(source)}{folder / source}"
        return self.model_copy(update=changes)


class _ModelsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Annotated[list[ModelEntry], Field(min_length=1)]


def read_models_file(path: Path) -> dict[str, ModelEntry]:
    """The models of a file by id, in its order; relative paths are relative to the file.

    Raises:
        ModelsFileError: the file is not there, is no TOML, or says something that cannot be.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelsFileError(f"{path}: cannot be read: {reason}") from error
    try:
        entries = _ModelsFile.model_validate(data).model
    except ValidationError as error:
        faults = (_fault(data, entry["loc"], entry["msg"]) for entry in error.errors())
        raise ModelsFileError(f"{path}: {'; '.join(faults)}") from error
    again = [id_ for id_, times in Counter(entry.id for entry in entries).items() if times > 1]
    if again:
        raise ModelsFileError(f"{path}: model {again[0]!r}, id: there are two of that id")
    folder = path.absolute().parent
    return {entry.id: entry.within(folder) for entry in entries}


def load_model(entry: ModelEntry, *, file: Path, device: str, precision: str) -> DualEncoder:
    """Load a model of the file.

    Args:
        entry: the model.
        file: where it is described, for the error's sake.
        device: the worker's, where the entry names none.
        precision: the worker's, where the entry names none.

    Raises:
        ModelsFileError: its architecture is unknown, its weights are not there or are others, its tokenizer is not
            there, or it cannot be run in that way.
    """
    if entry.is_path and not Path(entry.weights).exists():
        raise ModelsFileError(f"{file}: model {entry.id!r}, weights: {entry.weights} is not there")
    try:
        return fixlip_core.load_encoder(
            entry.name,
            device=entry.device or device,
            precision=entry.precision or precision,
            tokenizer=entry.tokenizer,
            sha256=entry.sha256,
            grid=entry.grid,
            model_id=entry.id,
        )
    except FixlipError as error:
        raise ModelsFileError(f"{file}: model {entry.id!r}, {_key(entry, error)}: {error}") from error


def _key(entry: ModelEntry, error: FixlipError) -> str:
    """The key of the entry that an error of loading is about."""
    match error:
        case WeightsDigestError():
            return "sha256"
        case TokenizerNotFoundError():
            return "tokenizer"
        case UnknownModelError() | UnsupportedModelError() if entry.architecture is not None:
            return "architecture"
        case InvalidParameterError():
            return error.field
        case _:
            return "weights"


def _fault(data: dict[str, Any], location: tuple[int | str, ...], message: str) -> str:
    """What a file says wrongly: of which model, which key, and why."""
    reason = message.removeprefix("Value error, ").replace("Extra inputs are not permitted", "there is no such key")
    match location:
        case ("model", int(index), *keys):
            model = data["model"][index]
            name = repr(model["id"]) if isinstance(model, dict) and "id" in model else f"number {index + 1}"
            return f"model {name}, {keys[0]}: {reason}" if keys else f"model {name}, {reason}"
        case _:
            return f"{'.'.join(map(str, location))}: {reason}"
