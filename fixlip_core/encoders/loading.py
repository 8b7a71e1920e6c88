"""Encoders by name, with their weights and their tokenizer."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.encoders.sources import ModelSource, check_digest, demo_directory, resolve_source, weights_errors
from fixlip_core.encoders.tokenizer import load_tokenizer
from fixlip_core.encoders.tokenizer_choice import choose_tokenizer
from fixlip_core.errors import InvalidParameterError, UnsupportedModelError

__all__ = ["PRECISIONS", "demo_directory", "load_encoder"]

PRECISIONS: Final = ("fp32", "bf16", "fp16")
_CONTEXT_LENGTH: Final = 77  # open_clip's, where a config has none

_log = logging.getLogger(__name__)


def load_encoder(
    name: str,
    *,
    device: str = "cpu",
    precision: str = "fp32",
    tokenizer: str | None = None,
    sha256: str | None = None,
    grid: tuple[int, int] | None = None,
    model_id: str | None = None,
) -> DualEncoder:
    """Load a model with its weights.

    Args:
        name: ``demo``; ``ARCHITECTURE/TAG`` with open_clip's names (``ViT-B-32/openai``) or
            ``ARCHITECTURE/PATH`` with a checkpoint file; ``hf-hub:OWNER/NAME``; or a directory that holds
            ``open_clip_config.json``, a checkpoint and, where the config names one, a ``tokenizer.json``.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32``, ``bf16`` or, on a GPU, ``fp16`` (weights and activations; embeddings are float32 in
            every case).
        tokenizer: path of a ``tokenizer.json`` or of its directory, instead of what the config names.
        sha256: digest of the checkpoint file, 64 hex digits; another file is refused.
        grid: (rows, columns) of the patches of a model that has none of its own; by default about 7 x 7.
        model_id: the card's id; by default ``name``.

    Raises:
        UnknownModelError: there is no such architecture, or the name has no weights in it.
        WeightsNotFoundError: the weights are not there, are not those of the digest, or do not fit the architecture.
        TokenizerNotFoundError: the tokenizer's file is not there and could not be fetched.
        UnsupportedModelError: the towers or the tokenizer are of a kind that cannot be run.
        InvalidParameterError: the device, the precision or the grid is not one of those above.
    """
    from fixlip_core.encoders._open_clip import open_clip

    place = _checked_device(device)
    _check_precision(precision, place)
    library = open_clip()
    source = resolve_source(name, library)
    with weights_errors(name):
        config = library.get_model_config(source.name) or {}
    _check_text_tower(name, config.get("text_cfg", {}))
    tokens = choose_tokenizer(config.get("text_cfg", {}), directory=source.directory, given=tokenizer)
    load_tokenizer(tokens)  # an unusable one shows before the weights are fetched
    model, preprocess = _load(name, source, library, precision=precision, device=place, sha256=sha256)
    card = _card(model_id or name, model, config, tokenizer=tokens, precision=precision, device=place)
    return _adapt(model, preprocess, card, grid=grid)


def _load(
    name: str, source: ModelSource, library: Any, *, precision: str, device: str, sha256: str | None
) -> tuple[Any, Any]:
    """The model, frozen and in evaluation mode, and its image transform."""
    with weights_errors(name):
        if sha256 is not None:
            check_digest(source, library, sha256)
        model, preprocess = library.create_model_from_pretrained(
            source.name,
            pretrained=source.pretrained,
            precision=precision,
            device=device,
            force_quick_gelu=source.quick_gelu,
        )
    model.eval().requires_grad_(False)
    return model, preprocess


def _adapt(model: Any, preprocess: Any, card: ModelCard, *, grid: tuple[int, int] | None) -> DualEncoder:
    """The encoder: of two transformers where the model is that, else one that masks the towers' inputs."""
    from fixlip_core.encoders.dismantle import dismantle
    from fixlip_core.encoders.generic import GenericEncoder

    try:
        encoder = dismantle(model, preprocess, card)
    except UnsupportedModelError as error:
        _log.info("%s runs with masked inputs: %s", card.id, error)
        return GenericEncoder.of(model, preprocess, card, grid=grid)
    if grid is not None and grid != card.grid:
        rows, columns = card.grid
        raise InvalidParameterError(
            f"{card.id} has patches of its own, {rows} x {columns}; a grid is for models that have none", field="grid"
        )
    return encoder


def _check_precision(precision: str, device: str) -> None:
    if precision not in PRECISIONS:
        raise InvalidParameterError(f"precision must be fp32, bf16 or fp16, not {precision!r}", field="precision")
    if precision == "fp16" and not device.startswith("cuda"):
        raise InvalidParameterError("precision fp16 needs a GPU; on a CPU, take bf16 or fp32", field="precision")
    if precision == "bf16" and device == "cpu" and not _cpu_has_bf16():
        _log.warning("this CPU has no bfloat16 instructions: precision bf16 will be slower than fp32 here")


def _cpu_has_bf16() -> bool:
    import torch

    return any(has and "bf16" in feature for feature, has in torch.cpu.get_capabilities().items())


def _checked_device(device: str) -> str:
    import torch

    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise InvalidParameterError(f"device must be cpu, cuda or cuda:N, not {device!r}", field="device") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise InvalidParameterError("device is cuda, but this machine or this build of torch has none", field="device")
    if place.type == "cuda" and place.index is None:
        return "cuda:0"
    return str(place)


def _check_text_tower(name: str, text: Mapping[str, Any]) -> None:
    if text.get("hf_model_name") and importlib.util.find_spec("transformers") is None:
        raise UnsupportedModelError(
            f"the text tower of {name!r} is {text['hf_model_name']}, which needs the package transformers"
        )


def _card(
    model_id: str, model: Any, config: Mapping[str, Any], *, tokenizer: str, precision: str, device: str
) -> ModelCard:
    """The card of a model whose patches are its own; without any, the grid is (0, 0)."""
    visual = model.visual
    embedding = getattr(getattr(visual, "trunk", visual), "patch_embed", visual)
    bias = getattr(model, "logit_bias", None)
    family = "coca" if type(model).__name__ == "CoCa" else "clip" if bias is None else "siglip"
    return ModelCard(
        id=model_id,
        weights_sha256=_digest(model),
        family=family,
        embed_dim=int(config["embed_dim"]),
        grid=_two(getattr(embedding, "grid_size", None) or 0),
        image_size_px=_two(visual.image_size),
        context_length=int(config["text_cfg"].get("context_length", _CONTEXT_LENGTH)),
        n_marks=load_tokenizer(tokenizer).n_marks,
        tokenizer=tokenizer,
        attention=True,
        logit_scale=float(model.logit_scale.exp()),
        logit_bias=0.0 if bias is None else float(bias),
        precision=precision,
        device=device,
    )


def _two(size: int | Sequence[int]) -> tuple[int, int]:
    """(height, width) of a size that may be one number."""
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _digest(model: Any) -> str:
    """The SHA-256 over every weight as it is used, by name, in hex."""
    import torch

    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
