"""Array aliases: the shapes and dtypes that the library's functions take and give."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["BoolArray", "Coalitions", "Embeddings", "FloatArray", "ImageArray", "ImageInput", "IntArray"]

FloatArray: TypeAlias = NDArray[np.floating[Any]]
"""Real numbers of any shape; the docstring that uses it gives the shape."""

IntArray: TypeAlias = NDArray[np.integer[Any]]
"""Integers of any shape."""

BoolArray: TypeAlias = NDArray[np.bool_]
"""Truth values of any shape."""

Coalitions: TypeAlias = NDArray[np.bool_]
"""(m, n) bool: row k says which of the n players are present in coalition k."""

Embeddings: TypeAlias = NDArray[np.floating[Any]]
"""(m, D) float32: row k is the embedding of masked input k, of unit Euclidean length."""

ImageArray: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8: sRGB pixels, row 0 on top."""

ImageInput: TypeAlias = Image.Image | ImageArray
"""What a caller may give as a picture: a PIL image of any mode, or an :data:`ImageArray`."""
