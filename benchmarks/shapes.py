"""Encoders of real models' shapes with random weights: what a pass costs does not depend on the weights."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.dismantle import dismantle
from fixlip_core.encoders.transformer import TransformerEncoder

__all__ = ["MODEL_ID", "random_encoder", "write_models_file"]

MODEL_ID: Final = "random"
"""What the model of :func:`write_models_file` is called."""


def random_encoder(
    architecture: str, *, precision: str = "fp32", device: str = "cpu"
) -> tuple[Any, TransformerEncoder]:
    """An open_clip model of CLIP's kind with random weights, and its encoder."""
    model, preprocess = _random_model(architecture, precision=precision, device=device)
    visual = model.visual
    card = ModelCard(
        id=architecture,
        weights_sha256="0" * 64,
        family="clip",
        embed_dim=visual.output_dim,
        grid=tuple(visual.grid_size),
        image_size_px=tuple(visual.image_size),
        context_length=model.context_length,
        n_marks=2,
        tokenizer="clip-bpe",
        attention=True,
        logit_scale=float(model.logit_scale.exp()),
        logit_bias=0.0,
        precision=precision,
        device=device,
    )
    return model, dismantle(model, preprocess, card)


def write_models_file(folder: Path, architecture: str) -> Path:
    """Write a models file of one model, ``MODEL_ID``, and its checkpoint with random weights; the file's path."""
    model, _ = _random_model(architecture, precision="fp32", device="cpu")
    checkpoint = folder / "random.safetensors"
    save_file(model.state_dict(), checkpoint)
    with checkpoint.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    entry = {"id": MODEL_ID, "architecture": architecture, "weights": f"./{checkpoint.name}", "sha256": digest}
    models_file = folder / "models.toml"
    lines = ["[[model]]", *(f'{key} = "{value}"' for key, value in entry.items())]
    models_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return models_file


def _random_model(architecture: str, *, precision: str, device: str) -> tuple[Any, Any]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, _, preprocess = open_clip().create_model_and_transforms(architecture, precision=precision, device=device)
    model.eval().requires_grad_(False)
    return model, preprocess
