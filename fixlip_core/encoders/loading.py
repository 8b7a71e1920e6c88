"""Encoders by name: the packaged demo model, open_clip's names, hub ids and local directories.

Nothing here ever runs with random weights: what cannot be loaded raises an error that says what was looked for.
"""

from __future__ import annotations

import difflib
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.encoders.tokenizer import CLIP_BPE
from fixlip_core.errors import InvalidParameterError, UnknownModelError, UnsupportedModelError, WeightsNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["demo_directory", "load_encoder"]

PRECISIONS = ("fp32", "bf16")
_HUB = "hf-hub:"
_LOCAL = "local-dir:"
_CONFIG_FILE = "open_clip_config.json"
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a model comes from, as open_clip's loader takes it."""

    name: str
    pretrained: str | None = None
    quick_gelu: bool = False


def demo_directory() -> Path:
    """Directory of the demo encoder that ships with the package."""
    return Path(str(resources.files("fixlip_core.demo"))) / "encoder"


def load_encoder(name: str, *, device: str = "cpu", precision: str = "fp32") -> DualEncoder:
    """Load a model with its weights.

    Args:
        name: ``demo``; ``ARCHITECTURE/TAG`` with open_clip's names (``ViT-B-32/openai``) or
            ``ARCHITECTURE/PATH`` with a checkpoint file; ``hf-hub:OWNER/NAME``; or a directory that holds
            ``open_clip_config.json`` and a checkpoint.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32`` or ``bf16`` (weights and activations; embeddings are float32 in either case).

    Raises:
        UnknownModelError: there is no such architecture, or the name has no weights in it.
        WeightsNotFoundError: the weights are not there or do not fit the architecture.
        UnsupportedModelError: the towers are of a kind that cannot be masked yet.
        InvalidParameterError: the device or the precision is not one of those above.
    """
    from fixlip_core.encoders._open_clip import open_clip
    from fixlip_core.encoders.clip import ClipEncoder

    if precision not in PRECISIONS:
        raise InvalidParameterError(f"precision must be fp32 or bf16, not {precision!r}", field="precision")
    place = _checked_device(device)
    library = open_clip()
    source = _resolve(name, library)
    _check_tokenizer(source, library)
    with _weights_errors(name):
        model, preprocess = library.create_model_from_pretrained(
            source.name,
            pretrained=source.pretrained,
            precision=precision,
            device=place,
            force_quick_gelu=source.quick_gelu,
        )
    model.eval().requires_grad_(False)
    return ClipEncoder(model, preprocess, _card(name, model, precision, place))


def _resolve(name: str, library: Any) -> _Source:
    if name == "demo":
        return _local(demo_directory())
    if name.startswith(_HUB):
        return _Source(name)
    if name.startswith(_LOCAL) or Path(name).is_dir():
        return _local(Path(name.removeprefix(_LOCAL)))
    architecture, _, weights = name.partition("/")
    known = library.list_models()
    if architecture not in known:
        close = difflib.get_close_matches(architecture, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise UnknownModelError(
            f"model {name!r} is unknown: it is neither 'demo', an open_clip architecture with a pretrained tag "
            f"('ViT-B-32/openai'), 'hf-hub:OWNER/NAME' nor a directory{hint}"
        )
    tags = library.list_pretrained_tags_by_model(architecture)
    if not weights:
        raise UnknownModelError(
            f"model {name!r} names no weights: write '{architecture}/TAG' with one of {', '.join(tags) or 'no tags'}, "
            f"or '{architecture}/PATH' with a checkpoint file"
        )
    config = library.get_pretrained_cfg(architecture, weights)
    if not config and not Path(weights).is_file():
        raise WeightsNotFoundError(
            f"weights {weights!r} of {architecture} are neither a file nor a pretrained tag; "
            f"tags: {', '.join(tags) or 'none'}"
        )
    # open_clip only warns when a tag was trained with the quick GELU and the architecture's file does not say so.
    return _Source(architecture, weights, quick_gelu=bool(config and config.get("quick_gelu")))


def _local(directory: Path) -> _Source:
    if not (directory / _CONFIG_FILE).is_file():
        raise WeightsNotFoundError(f"{directory} is not a model directory: it has no {_CONFIG_FILE}")
    if not any(path.suffix in _WEIGHT_SUFFIXES for path in directory.iterdir()):
        raise WeightsNotFoundError(f"{directory} has no weights: a file ending in {', '.join(_WEIGHT_SUFFIXES)}")
    return _Source(_LOCAL + str(directory))


def _check_tokenizer(source: _Source, library: Any) -> None:
    with _weights_errors(source.name):
        text = (library.get_model_config(source.name) or {}).get("text_cfg", {})
    if text.get("hf_tokenizer_name") or text.get("tokenizer_kwargs"):
        raise UnsupportedModelError(f"{source.name} has a tokenizer other than CLIP's byte-pair encoding")


@contextmanager
def _weights_errors(name: str) -> Iterator[None]:
    """Whatever open_clip, the hub client or torch raises while weights are fetched and read, as one error."""
    try:
        yield
    except Exception as error:  # their kinds are many: sockets, pickles, JSON, headers, shapes
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise WeightsNotFoundError(f"the weights of {name!r} could not be loaded: {reason}") from error


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


def _card(name: str, model: Any, precision: str, device: str) -> ModelCard:
    visual, text = model.visual, getattr(model, "text", model)
    grid, size = (_two(getattr(visual, name, 0)) for name in ("grid_size", "image_size"))
    bias = getattr(model, "logit_bias", None)
    return ModelCard(
        id=name,
        revision=_digest(model),
        family="clip",
        embed_dim=int(getattr(visual, "output_dim", 0)),
        grid=grid,
        image_size_px=size,
        context_length=int(getattr(text, "context_length", 0)),
        tokenizer=CLIP_BPE,
        logit_scale=float(model.logit_scale.exp()),
        logit_bias=0.0 if bias is None else float(bias),
        precision=precision,
        device=device,
    )


def _two(size: int | Sequence[int]) -> tuple[int, int]:
    """(height, width) of a size that may be one number."""
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _digest(model: Any) -> str:
    """``sha256:`` and 16 hex digits over every weight as it is used, by name."""
    import torch

    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()[:16]}"
