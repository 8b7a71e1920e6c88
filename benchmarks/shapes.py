"""Encoders of real models' shapes with random weights: what a pass costs does not depend on the weights."""

from __future__ import annotations

from typing import Any

import torch

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.card import ModelCard
from fixlip_core.encoders.dismantle import dismantle
from fixlip_core.encoders.transformer import TransformerEncoder

__all__ = ["random_encoder"]


def random_encoder(
    architecture: str, *, precision: str = "fp32", device: str = "cpu"
) -> tuple[Any, TransformerEncoder]:
    """An open_clip model of CLIP's kind with random weights, and its encoder."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, _, preprocess = open_clip().create_model_and_transforms(architecture, precision=precision, device=device)
    model.eval().requires_grad_(False)
    visual = model.visual
    card = ModelCard(
        id=architecture,
        revision="random",
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
