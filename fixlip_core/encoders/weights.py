"""What is known of a model's weights without looking at their values."""

from __future__ import annotations

from itertools import chain

from torch.nn import Module

__all__ = ["weights_bytes_of"]


def weights_bytes_of(model: Module) -> int:
    """Bytes of all parameters and buffers, each of those that are shared counted once."""
    return sum(tensor.numel() * tensor.element_size() for tensor in chain(model.parameters(), model.buffers()))
