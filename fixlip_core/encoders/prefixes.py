"""A causal text tower over many coalitions of one caption, equal beginnings computed once.

The state at a position depends only on the coalition's bits before it. All 2^n coalitions of n tokens then take
about 2^(n+1) positions instead of (n + 2) 2^n. Coalitions drawn at random share their first few positions only; the
rest is run at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from fixlip_core.defaults import POSITIONS_PER_BATCH
from fixlip_core.encoders.blocks import Block, fused
from fixlip_core.types import BoolArray, Coalitions, IntArray

__all__ = ["encode_by_prefix"]

# What a stage costs besides its positions, in positions: a small batch reads all weights for little.
_STAGE_COST = 64
# A single query reads keys and values and computes next to nothing: larger batches pay.
_SINGLE_QUERIES_PER_BATCH = 4 * POSITIONS_PER_BATCH


def encode_by_prefix(
    blocks: Sequence[Block],
    line: Tensor,
    content: Sequence[int],
    coalitions: Coalitions,
    *,
    replaced: Tensor | None = None,
) -> Tensor:
    """(m, W) output of the last block at the last position.

    Args:
        blocks: the tower's blocks; every position sees those before it and itself.
        line: (L, W) what enters the first block, all tokens present.
        content: positions of the tokens that can be removed, ascending.
        coalitions: (m, n) which of them are present.
        replaced: (L, W) what enters the first block where a token is absent. None: absent tokens are masked, seen by
            no later position. A masked token's own bit never matters to its own state: nobody sees that.
    """
    distinct, row_of = np.unique(coalitions, axis=0, return_inverse=True)
    trie = _Trie(blocks, line, replaced, distinct, tuple(content))
    for stage in trie.stages:
        out = trie.run(stage)
    return out[torch.from_numpy(row_of.reshape(-1)).to(line.device)]


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """Positions that are run together, for every beginning of the coalitions up to the last of them.

    Attributes:
        start: first position.
        stop: position after the last.
        rows: (r,) a coalition for each beginning.
        row_of: (m,) which of those each coalition begins like.
    """

    start: int
    stop: int
    rows: IntArray
    row_of: IntArray

    @property
    def length(self) -> int:
        """Number of positions."""
        return self.stop - self.start


@dataclass(eq=False)
class _Trie:
    """Coalitions by their beginnings, and the keys and values of the stages that were run.

    Attributes:
        blocks: the tower's blocks.
        line: (L, W) what enters the first block, all tokens present.
        replaced: (L, W) the same, all replaced; or None.
        coalitions: (m, n) distinct, sorted.
        content: positions of the tokens.
        stages: the stages, in order.
        keys: for each block and stage run, (r, heads, positions, d).
        values: likewise.
    """

    blocks: Sequence[Block]
    line: Tensor
    replaced: Tensor | None
    coalitions: Coalitions
    content: tuple[int, ...]
    stages: list[_Stage] = field(init=False)
    keys: list[list[Tensor]] = field(init=False)
    values: list[list[Tensor]] = field(init=False)

    def __post_init__(self) -> None:
        known = [_beginnings(self.coalitions[:, : self._tokens_before(t)]) for t in range(len(self.line))]
        self.stages = [
            _Stage(start, stop, *known[stop - 1]) for start, stop in _cheapest_cuts([len(rows) for rows, _ in known])
        ]
        self.keys = [[] for _ in self.blocks]
        self.values = [[] for _ in self.blocks]

    def _tokens_before(self, t: int) -> int:
        """Number of tokens whose bits the state of position ``t`` depends on; a replaced token's own is one."""
        return sum(at < t + (self.replaced is not None) for at in self.content)

    def run(self, stage: _Stage) -> Tensor:
        """(r, W) output of the last block at the stage's last position; keys and values are kept on the way."""
        each = stage.stop if stage.length == 1 else stage.length
        limit = _SINGLE_QUERIES_PER_BATCH if stage.length == 1 else POSITIONS_PER_BATCH
        parts = [self._run(stage, rows) for rows in _split(stage.rows, max(1, limit // each))]
        if stage is not self.stages[-1]:
            for layer in range(len(self.blocks)):
                self.keys[layer].append(torch.cat([keys[layer] for _, keys, _ in parts]))
                self.values[layer].append(torch.cat([values[layer] for _, _, values in parts]))
        return torch.cat([out for out, _, _ in parts])

    def _run(self, stage: _Stage, rows: IntArray) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Output, and keys and values of every block, of some of a stage's coalitions."""
        is_last_stage = stage is self.stages[-1]
        x, mask = self._enter(stage, rows), self._mask(stage, rows)
        kept: tuple[list[Tensor], list[Tensor]] = ([], [])
        for layer, block in enumerate(self.blocks):
            is_last = layer == len(self.blocks) - 1
            query, key, value = block.qkv(x, row=-1 if is_last else None)
            if not is_last_stage:
                kept[0].append(key)
                kept[1].append(value)
                if is_last:
                    break
            elif is_last:
                x, mask = x[:, -1:], mask[:, :, -1:]
            key = torch.cat([*self._past(self.keys[layer], rows), key], dim=2)
            value = torch.cat([*self._past(self.values[layer], rows), value], dim=2)
            x = x + block.merge(fused(query, key, value, mask))
            x = x + block.feed_forward(x)
        return x[:, -1], *kept

    def _past(self, stored: Sequence[Tensor], rows: IntArray) -> Iterator[Tensor]:
        """(rows, heads, positions, d) of every stage that was run."""
        for stage, states in zip(self.stages, stored, strict=False):
            yield states[torch.from_numpy(stage.row_of[rows]).to(states.device)]

    def _enter(self, stage: _Stage, rows: IntArray) -> Tensor:
        at = slice(stage.start, stage.stop)
        x = self.line[at].expand(len(rows), -1, -1)
        if self.replaced is None:
            return x
        present = torch.from_numpy(self._present(rows)[:, at]).to(x.device)
        return torch.where(present[:, :, None], x, self.replaced[at])

    def _mask(self, stage: _Stage, rows: IntArray) -> Tensor:
        """(rows, 1, positions, stop) keys that each query sees: those before it that are present, and itself."""
        causal = np.tri(stage.stop, dtype=bool)[stage.start :]
        seen = np.broadcast_to(causal, (len(rows), *causal.shape))
        if self.replaced is None:
            own = np.eye(stage.stop, dtype=bool)[stage.start :]
            seen = seen & (self._present(rows)[:, None, : stage.stop] | own)
        return torch.from_numpy(np.array(seen))[:, None].to(self.line.device)

    def _present(self, rows: IntArray) -> BoolArray:
        """(rows, L) which positions are present; marks always are."""
        present = np.ones((len(rows), len(self.line)), dtype=bool)
        present[:, list(self.content)] = self.coalitions[rows]
        return present


def _beginnings(bits: BoolArray) -> tuple[IntArray, IntArray]:
    """The first of each run of equal rows of sorted (m, k) ``bits``, and for every row which run it is in."""
    starts = np.ones(len(bits), dtype=bool)
    starts[1:] = (bits[1:] != bits[:-1]).any(axis=1)
    return np.flatnonzero(starts), np.cumsum(starts) - 1


def _cheapest_cuts(beginnings: Sequence[int]) -> list[tuple[int, int]]:
    """Where to cut the line into stages, by dynamic programming: (start, stop) of each.

    A stage runs all its positions for as many beginnings as there are at its last one, the more the later.

    Args:
        beginnings: (L,) distinct beginnings at every position.
    """
    costs, cuts = [0], [0]
    for stop in range(1, len(beginnings) + 1):
        options = [costs[start] + beginnings[stop - 1] * (stop - start) + _STAGE_COST for start in range(stop)]
        cuts.append(int(np.argmin(options)))
        costs.append(options[cuts[-1]])
    stages, stop = [], len(beginnings)
    while stop:
        stages.append((cuts[stop], stop))
        stop = cuts[stop]
    return stages[::-1]


def _split(rows: IntArray, size: int) -> Iterator[IntArray]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
