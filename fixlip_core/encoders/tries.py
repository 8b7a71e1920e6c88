"""Coalitions of captions by their beginnings: the stages that run them, and the keys and values that stages leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import torch
from torch import Tensor

from fixlip_core.encoders.batches import to_device
from fixlip_core.encoders.blocks import Block
from fixlip_core.encoders.masked_texts import MaskedLine
from fixlip_core.encoders.steady import filled, missing_rows, steady
from fixlip_core.types import BoolArray, Coalitions, IntArray

__all__ = ["Branch", "Stage", "Trie", "beginnings", "cheapest_cuts"]

# What a stage costs besides its positions, in positions: a small batch reads all weights for little.
_STAGE_COST: Final = 64
# A single query reads keys and values and computes next to nothing: larger batches pay.
_SINGLE_QUERY_GAIN: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Positions that are run together, for every beginning of some coalitions up to the last of them.

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

    @classmethod
    def side_by_side(cls, stages: Sequence[Stage]) -> Stage:
        """The same stage of several sets of coalitions, as that of all their coalitions."""
        firsts = np.cumsum([0, *(len(stage.row_of) for stage in stages)])
        before = np.cumsum([0, *(len(stage.rows) for stage in stages)])
        rows = np.concatenate([stage.rows + first for stage, first in zip(stages, firsts, strict=False)])
        row_of = np.concatenate([stage.row_of + first for stage, first in zip(stages, before, strict=False)])
        return cls(stages[0].start, stages[0].stop, rows, row_of)


class Branch(Protocol):
    """Coalitions of one caption; those run side by side have their tokens and stages at the same places."""

    @property
    def line(self) -> MaskedLine:
        """The caption."""
        ...

    @property
    def coalitions(self) -> Coalitions:
        """(m, n) distinct, sorted."""
        ...

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order."""
        ...


@dataclass(eq=False)
class Trie:
    """Coalitions by their beginnings, and the keys and values of the stages that were run.

    Attributes:
        blocks: the tower's blocks; every position sees those before it and itself.
        lines: (c, L, W) what enters the first block for each of some captions, all tokens present.
        replaced: (c, L, W) the same where a token is absent. None: absent tokens are masked, seen by no later
            position. A masked token's own bit never matters to its own state: nobody sees that.
        line_of: (m,) the caption of each coalition.
        present: (m, L) which positions are present; marks always are.
        stages: the stages, in order.
        positions_per_batch: positions to run at a time.
        keys: for each block and stage run, (r, heads, positions, d).
        values: likewise.
    """

    blocks: Sequence[Block]
    lines: Tensor
    replaced: Tensor | None
    line_of: IntArray
    present: BoolArray
    stages: tuple[Stage, ...]
    positions_per_batch: int
    keys: list[list[Tensor]] = field(init=False)
    values: list[list[Tensor]] = field(init=False)

    @classmethod
    def of(cls, blocks: Sequence[Block], branches: Sequence[Branch], *, positions_per_batch: int) -> Trie:
        """The coalitions of ``branches`` side by side."""
        lines = list(dict.fromkeys(branch.line for branch in branches))
        some = lines[0]
        line_of = np.repeat([lines.index(branch.line) for branch in branches], [len(b.coalitions) for b in branches])
        coalitions = np.concatenate([branch.coalitions for branch in branches])
        present = np.ones((len(coalitions), len(some.line.ids)), dtype=bool)
        present[:, list(some.line.content)] = coalitions
        return cls(
            blocks=blocks,
            lines=torch.stack([line.state for line in lines]),
            replaced=torch.stack([line.replaced_state for line in lines]) if some.replaces else None,
            line_of=line_of,
            present=present,
            stages=tuple(Stage.side_by_side(s) for s in zip(*(branch.stages for branch in branches), strict=True)),
            positions_per_batch=positions_per_batch,
        )

    def __post_init__(self) -> None:
        self.keys = [[] for _ in self.blocks]
        self.values = [[] for _ in self.blocks]

    def run(self) -> Tensor:
        """(m, W) output of the last block at the last position, for every coalition."""
        for stage in self.stages:
            out = self._run_stage(stage)
        return out[to_device(self.stages[-1].row_of, out.device)]

    def _run_stage(self, stage: Stage) -> Tensor:
        """(r, W) output of the last block at the stage's last position; keys and values are kept on the way."""
        each, limit = stage.length, self.positions_per_batch
        if stage.length == 1:
            each, limit = stage.stop, _SINGLE_QUERY_GAIN * limit
        parts = [self._run_rows(stage, rows) for rows in _split(stage.rows, max(1, limit // each))]
        if stage is not self.stages[-1]:
            for layer in range(len(self.blocks)):
                self.keys[layer].append(torch.cat([keys[layer] for _, keys, _ in parts]))
                self.values[layer].append(torch.cat([values[layer] for _, _, values in parts]))
        return torch.cat([out for out, _, _ in parts])

    def _run_rows(self, stage: Stage, rows: IntArray) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Output, and keys and values of every block, of some of a stage's coalitions."""
        n, is_last_stage = len(rows), stage is self.stages[-1]
        rows = self._filled(rows, stage.length)
        x, mask = self._enter(stage, rows), self._mask(stage, rows)
        kept: tuple[list[Tensor], list[Tensor]] = ([], [])
        for layer, block in enumerate(self.blocks):
            is_last = layer == len(self.blocks) - 1
            if is_last and is_last_stage:
                rows = self._filled(rows, 1)
                x, mask = filled(x), filled(mask)[:, :, -1:]
            query, key, value = block.qkv(x, row=-1 if is_last else None)
            if not is_last_stage:
                kept[0].append(key[:n])
                kept[1].append(value[:n])
                if is_last:
                    break
            elif is_last:
                x = x[:, -1:]
            key = torch.cat([*self._past(self.keys[layer], rows), key], dim=2)
            value = torch.cat([*self._past(self.values[layer], rows), value], dim=2)
            x = x + block.merge(steady(query, key, value, mask))
            x = x + block.feed_forward(x)
        return x[:n, -1], *kept

    def _filled(self, rows: IntArray, length: int) -> IntArray:
        """``rows``, the last of them repeated where so many rows of so many positions are too few to be steady."""
        missing = -(-missing_rows(len(rows) * length, self.lines.device) // length)
        return np.concatenate([rows, np.repeat(rows[-1:], missing)])

    def _past(self, stored: Sequence[Tensor], rows: IntArray) -> Iterator[Tensor]:
        """(rows, heads, positions, d) of every stage that was run."""
        for stage, states in zip(self.stages, stored, strict=False):
            yield states[to_device(stage.row_of[rows], states.device)]

    def _enter(self, stage: Stage, rows: IntArray) -> Tensor:
        at = slice(stage.start, stage.stop)
        owners = to_device(self.line_of[rows], self.lines.device)
        x = self.lines[:, at][owners]
        if self.replaced is None:
            return x
        present = to_device(self.present[rows, at], x.device)
        return torch.where(present[:, :, None], x, self.replaced[:, at][owners])

    def _mask(self, stage: Stage, rows: IntArray) -> Tensor:
        """(rows, 1, positions, stop) keys that each query sees: those before it that are present, and itself."""
        causal = np.tri(stage.stop, dtype=bool)[stage.start :]
        seen = np.broadcast_to(causal, (len(rows), *causal.shape))
        if self.replaced is None:
            own = np.eye(stage.stop, dtype=bool)[stage.start :]
            seen = seen & (self.present[rows, None, : stage.stop] | own)
        return to_device(np.array(seen), self.lines.device)[:, None]


def beginnings(bits: BoolArray) -> tuple[IntArray, IntArray]:
    """The first of each run of equal rows of sorted (m, k) ``bits``, and for every row which run it is in."""
    starts = np.ones(len(bits), dtype=bool)
    starts[1:] = (bits[1:] != bits[:-1]).any(axis=1)
    return np.flatnonzero(starts), np.cumsum(starts) - 1


def cheapest_cuts(beginnings: Sequence[int]) -> list[tuple[int, int]]:
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
