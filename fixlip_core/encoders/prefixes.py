"""A causal text tower over many coalitions of one caption, each distinct prefix computed once.

The state at a position depends only on which *earlier* tokens are present. All 2^n coalitions of n tokens then take
2^(n+1) positions instead of (n + 2) 2^n. A token's own bit never matters to its own state: were it removed, nobody
would attend to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from fixlip_core.defaults import POSITIONS_PER_BATCH
from fixlip_core.types import Coalitions, IntArray

__all__ = ["encode_by_prefix", "shares_prefixes"]


def shares_prefixes(blocks: Any) -> bool:
    """Whether the blocks are open_clip's plain ones, whose attention is known here."""
    return all(type(block).__name__ == "ResidualAttentionBlock" for block in blocks)


@dataclass(frozen=True, slots=True)
class _Position:
    """Distinct states at a position: ``rows`` (u,) has a coalition for each, ``state_of`` (m,) the state of each."""

    rows: IntArray
    state_of: IntArray


def encode_by_prefix(blocks: Any, line: torch.Tensor, coalitions: Coalitions) -> torch.Tensor:
    """(m, width) output of the last block at the last position.

    Args:
        blocks: the tower's blocks, for which :func:`shares_prefixes` holds.
        line: (n + 2, width) embedded BOS, tokens and EOS, positions added.
        coalitions: (m, n) which tokens are present.
    """
    positions = [_position(coalitions, t) for t in range(len(line))]
    keys: list[list[torch.Tensor]] = [[] for _ in blocks]
    values: list[list[torch.Tensor]] = [[] for _ in blocks]
    out = line.new_empty(0)
    for t, position in enumerate(positions):
        out, new_keys, new_values = _encode_position(blocks, line[t], t, positions, coalitions, keys, values)
        for layer in range(len(blocks)):
            keys[layer].append(new_keys[layer])
            values[layer].append(new_values[layer])
        if t == len(line) - 1:
            out = out[torch.from_numpy(position.state_of).to(line.device)]
    return out


def _position(coalitions: Coalitions, t: int) -> _Position:
    """States at position ``t`` (0 is BOS, token k is at k + 1): distinct presences of the tokens before it."""
    before = coalitions[:, : max(t - 1, 0)]
    if before.shape[1] == 0:
        return _Position(np.zeros(1, dtype=np.intp), np.zeros(len(coalitions), dtype=np.intp))
    packed = np.packbits(before, axis=1)
    _, rows, state_of = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return _Position(rows, state_of.reshape(-1))


def _encode_position(
    blocks: Any,
    embedded: torch.Tensor,
    t: int,
    positions: list[_Position],
    coalitions: Coalitions,
    keys: list[list[torch.Tensor]],
    values: list[list[torch.Tensor]],
) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    """Run every state of position ``t`` through all blocks, in batches: output, and each block's keys and values."""
    rows = positions[t].rows
    # One query a row: keys and values are all that a longer line costs.
    size = max(1, 4 * POSITIONS_PER_BATCH // (t + 1))
    outputs = []
    own: list[tuple[list[torch.Tensor], list[torch.Tensor]]] = [([], []) for _ in blocks]
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        ancestors = [torch.from_numpy(positions[s].state_of[some]).to(embedded.device) for s in range(t)]
        present = torch.ones(len(some), t + 1, dtype=torch.bool, device=embedded.device)
        if t > 1:
            present[:, 1:t] = torch.from_numpy(coalitions[some, : t - 1])
        x = embedded.expand(len(some), -1)
        for layer, block in enumerate(blocks):
            query, key, value = _heads(block, block.ln_1(x))
            seen_keys = torch.stack([*(k[a] for k, a in zip(keys[layer], ancestors, strict=True)), key], dim=2)
            seen_values = torch.stack([*(v[a] for v, a in zip(values[layer], ancestors, strict=True)), value], dim=2)
            attended = F.scaled_dot_product_attention(
                query[:, :, None], seen_keys, seen_values, attn_mask=present[:, None, None]
            )
            x = x + block.ls_1(block.attn.out_proj(attended.reshape(len(some), -1)))
            x = x + block.ls_2(block.mlp(block.ln_2(x)))
            own[layer][0].append(key)
            own[layer][1].append(value)
        outputs.append(x)
    return torch.cat(outputs), [torch.cat(k) for k, _ in own], [torch.cat(v) for _, v in own]


def _heads(block: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(u, heads, head width) queries, keys and values of (u, width) states."""
    attention = block.attn
    projected = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    query, key, value = (part.unflatten(-1, (attention.num_heads, -1)) for part in projected.chunk(3, dim=-1))
    return query, key, value
