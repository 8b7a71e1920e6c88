"""A model as it would be without training: the same architecture, its weights drawn anew."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from fixlip_core.encoders.dismantle import dismantle
from fixlip_core.encoders.generic import GenericEncoder
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.encoders.transformer import TransformerEncoder
from fixlip_core.errors import UnsupportedModelError
from fixlip_core.types import FloatArray

__all__ = ["randomised"]


def randomised(encoder: DualEncoder, *, seed: int) -> DualEncoder:
    """A copy of ``encoder`` with random weights; the card is the same.

    Every tensor of weights is drawn from the normal distribution of its own mean and standard deviation, so that the
    towers' states stay of their usual size. What has a single value, as the logit's scale, stays, and so do buffers.

    Args:
        encoder: one that :func:`fixlip_core.load_encoder` gave.
        seed: draws the weights: same seed, same weights, on any device.

    Raises:
        UnsupportedModelError: it is another kind of encoder, whose weights are not known.
    """
    if isinstance(encoder, TransformerEncoder):
        return dismantle(_redrawn(encoder.model, seed), encoder.image_tower.pictures.preprocess, encoder.card)
    if isinstance(encoder, GenericEncoder):
        return replace(encoder, model=_redrawn(encoder.model, seed))
    raise UnsupportedModelError(f"the weights of model {encoder.card.id!r} cannot be drawn anew: they are not known")


@torch.no_grad()
def _redrawn(model: Any, seed: int) -> Any:
    other = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    for weight in other.parameters():
        # Summed and drawn where neither the device nor its threads change a bit.
        mean, deviation = _moments(weight.float().cpu().numpy().ravel())
        weight.copy_(torch.empty(weight.shape).normal_(mean, deviation, generator=generator))
    return other


def _moments(values: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of (k,) values."""
    mean = float(values.mean(dtype=np.float64))
    square = float(np.einsum("k,k->", values, values, dtype=np.float64)) / len(values)
    return mean, max(square - mean**2, 0.0) ** 0.5
