"""An encoder whose rows can be stacked, and that tells what it was run with: for tests of the batcher.

An input is a number. The embedding of a row is (input, row as a binary number, 1).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fixlip_core.encoders.masked import MaskedRows
from fixlip_core.types import BoolArray, Coalitions, Embeddings
from tests.support.fake_encoder import FakeEncoder

__all__ = ["StackingEncoder", "StackingTower", "expected", "rows_of"]

UNITS = 20


def rows_of(n: int, *, first: int = 0) -> BoolArray:
    """(n, 20) the binary numbers from ``first`` on."""
    bits: BoolArray = (np.arange(first, first + n)[:, None] >> np.arange(UNITS)[::-1]) % 2 == 1
    return bits


def expected(tag: int, rows: Coalitions) -> Embeddings:
    """(m, 3) what the rows become."""
    numbers = rows @ (1 << np.arange(UNITS)[::-1])
    return np.stack([np.full(len(rows), tag), numbers, np.ones(len(rows))], axis=1).astype(np.float32)


@dataclass(eq=False)
class StackingTower:
    """Runs units of five positions a row.

    Attributes:
        rows_per_batch: what it says memory holds.
        runs_ahead: what it says of itself.
        row_s: seconds that a row takes.
        on_batch: called with the (input, rows) of every batch before it is run; may raise.
        batches: the (input, rows) of every batch that was run.
        on_arrival: called with the inputs of a batch before its embeddings are given; may raise.
        is_open: batches wait for this.
        begun: counts the batches that wait or have waited.
        arrived: embeddings wait for this.
    """

    rows_per_batch: int = 64
    runs_ahead: bool = False
    row_s: float = 0.0
    on_batch: Callable[[list[tuple[int, int]]], object] = lambda _: None
    on_arrival: Callable[[list[int]], object] = lambda _: None
    batches: list[list[tuple[int, int]]] = field(default_factory=list)
    is_open: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    arrived: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.is_open.set()
        self.arrived.set()

    @property
    def positions_per_batch(self) -> int:
        return 5 * self.rows_per_batch

    def run(self, units: Sequence[StackedRows]) -> Any:
        assert len({unit.bucket for unit in units}) == 1
        self.begun.release()
        assert self.is_open.wait(20)
        batch = [(unit.tag, len(unit)) for unit in units]
        self.on_batch(batch)
        time.sleep(self.row_s * sum(len(unit) for unit in units))
        self.batches.append(batch)
        return _Launched(self, [tag for tag, _ in batch], np.concatenate([expected(u.tag, u.rows) for u in units]))


@dataclass(frozen=True, eq=False)
class _Launched:
    tower: StackingTower
    tags: list[int]
    rows: Embeddings

    def is_done(self) -> bool:
        return self.tower.arrived.is_set()

    def embeddings(self) -> Embeddings:
        assert self.tower.arrived.wait(20)
        self.tower.on_arrival(self.tags)
        return self.rows


@dataclass(frozen=True, eq=False)
class StackedRows:
    """A unit."""

    tower: StackingTower
    tag: int
    rows: BoolArray
    bucket: Hashable

    @property
    def positions(self) -> int:
        return 5 * len(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def halves(self) -> tuple[StackedRows, StackedRows]:
        middle = len(self) // 2
        parts = self.rows[:middle], self.rows[middle:]
        first, second = (StackedRows(self.tower, self.tag, part, self.bucket) for part in parts)
        return first, second


@dataclass(frozen=True)
class _Input:
    tower: StackingTower
    tag: int
    bucket: Hashable
    rows_per_unit: int

    def rows(self, coalitions: Coalitions) -> MaskedRows:
        starts = range(0, len(coalitions), self.rows_per_unit)
        units = [coalitions[start : start + self.rows_per_unit] for start in starts]
        stacked = tuple(StackedRows(self.tower, self.tag, unit, self.bucket) for unit in units)
        return MaskedRows(stacked, np.arange(len(coalitions)), 3)


@dataclass(frozen=True, eq=False)
class StackingEncoder(FakeEncoder):
    """Both its towers are one. A caption ``7 b`` is input 7 in bucket b."""

    tower: StackingTower = field(default_factory=StackingTower)
    rows_per_unit: int = 4
    image_tower: object = "an image tower"

    def masked_image(self, image: Any, removal: str) -> _Input:
        return _Input(self.tower, image, "images", self.rows_per_unit)

    def masked_text(self, caption: str, removal: str) -> _Input:
        tag, bucket = caption.split()
        return _Input(self.tower, int(tag), bucket, self.rows_per_unit)
