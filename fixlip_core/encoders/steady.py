"""The same bits for a row, whatever it is run with: what torch's kernels on a CPU need for that.

Measured with torch's MKL kernels in float32, with one thread and with two: a row of a matrix product has the same bits
however many rows there are, once there are about a dozen; so has fused attention with four queries or more. With fewer
queries it has them where the scratch memory of its second thread is aligned, which a few keys that nobody sees bring
about. Tests hold all of this to account. With three threads or more, torch cuts elementwise functions at other places
for other batches, and on a GPU it chooses kernels by shape: there, rows agree to 1e-5 in float32.
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from fixlip_core.encoders.blocks import fused

__all__ = ["STEADY_ROWS", "filled", "missing_rows", "steady"]

STEADY_ROWS: Final = 16
_STEADY_QUERIES: Final = 4


def missing_rows(rows: int, device: torch.device, *, at_least: int = STEADY_ROWS) -> int:
    """How many rows matrix products of so many rows lack; only a CPU asks for any."""
    return max(0, at_least - rows) if device.type == "cpu" else 0


def filled(x: Tensor, *, at_least: int = STEADY_ROWS) -> Tensor:
    """``x``, (m, ...), with its last row repeated for the rows that are missing."""
    missing = missing_rows(len(x), x.device, at_least=at_least)
    return x[[*range(len(x)), *[-1] * missing]] if missing else x


def steady(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """:func:`fixlip_core.encoders.blocks.fused`, with the same bits for a row whatever the batch."""
    missing = (2 - key.shape[-2]) % 4
    if query.device.type == "cpu" and query.shape[-2] < _STEADY_QUERIES and missing:
        seen = mask if mask is not None else torch.ones(1, key.shape[-2], dtype=torch.bool)
        key, value = (F.pad(x, (0, 0, 0, missing)) for x in (key, value))
        mask = F.pad(seen, (0, missing))
    return fused(query, key, value, mask)
