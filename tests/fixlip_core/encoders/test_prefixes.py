"""Shared beginnings against each coalition run by itself, masked and replaced, enumerated and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from fixlip_core.coalitions import enumerate_product
from fixlip_core.defaults import POSITIONS_PER_BATCH
from fixlip_core.encoders.blocks import open_clip_block
from fixlip_core.encoders.masked_texts import MaskedLine
from fixlip_core.encoders.prefixes import PrefixRows, SharedPrefixes, SharedText
from fixlip_core.encoders.towers import TextLine, TextTower
from fixlip_core.types import BoolArray
from tests.support.small_models import small_clip

# Two marks in front, one within the content, one at the end.
LINE = TextLine((1, 2, 10, 11, 12, 3, 13, 14, 4), (2, 3, 4, 6, 7), 8)


@pytest.fixture(scope="module")
def tower() -> TextTower:
    """Three blocks of random vectors; the head gives states as they are."""
    model = small_clip(text={"layers": 3}).model
    generator = torch.Generator().manual_seed(0)
    vectors, places = torch.randn(40, 32, generator=generator), torch.randn(24, 32, generator=generator)
    unused: Any = None
    return TextTower(
        frame=unused,
        blocks=tuple(open_clip_block(block) for block in model.transformer.resblocks),
        causal=True,
        pad_id=0,
        masks_padding=False,
        pools=unused,
        embedding=lambda ids: vectors[ids],
        positions=places,
        head=lambda last: last[:, 0],
        device=torch.device("cpu"),
        dtype=torch.float32,
    )


def shared(tower: TextTower, line: TextLine, *, replaces: bool, positions: int = POSITIONS_PER_BATCH) -> SharedText:
    return SharedText(SharedPrefixes(tower, positions, 32), MaskedLine(tower, line, replaces))


def alone(tower: TextTower, line: TextLine, row: BoolArray, *, replaces: bool) -> np.ndarray:
    """(W,) one coalition, all positions at once, with masks in every layer; of unit length."""
    length = len(line.ids)
    present = torch.ones(length, dtype=torch.bool)
    present[list(line.content)] = torch.tensor(row)
    mask = torch.ones(length, length, dtype=torch.bool).tril()
    x = tower.state(line)[0]
    if replaces:
        x = torch.where(present[:, None], x, tower.replaced_state(line)[0])
    else:
        mask &= present
    for block in tower.blocks:
        x = block(x, mask=mask)
    return torch.nn.functional.normalize(x[-1], dim=0).numpy()


@torch.inference_mode()
@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("rows", ["all", "shuffled", "some", "one", "none"])
@pytest.mark.parametrize("positions", [POSITIONS_PER_BATCH, 40, 1])
def test_every_coalition_is_the_tower_run_alone(tower: TextTower, rows: str, replaces: bool, positions: int) -> None:
    rng = np.random.default_rng(6)
    every = enumerate_product(len(LINE.content), 0.5).coalitions
    coalitions = {
        "all": every,
        "shuffled": every[rng.permutation(np.r_[0 : len(every), 0:9])],
        "some": every[rng.permutation(len(every))[:11]],
        "one": every[5:6],
        "none": every[:0],
    }[rows]
    ours = shared(tower, LINE, replaces=replaces, positions=positions).rows(coalitions).encode()
    each = [alone(tower, LINE, row, replaces=replaces) for row in coalitions]
    np.testing.assert_allclose(ours, np.reshape(each, (-1, 32)), atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("replaces", [False, True])
def test_captions_are_run_side_by_side(tower: TextTower, replaces: bool) -> None:
    """With the bits of each by itself, whatever they share a batch with."""
    every = enumerate_product(len(LINE.content), 0.5).coalitions
    lines = [replace(LINE, ids=tuple(at + 9 * k for at in LINE.ids)) for k in range(3)]
    masked = [shared(tower, line, replaces=replaces) for line in lines]
    runner = masked[0].texts
    units: list[Any] = [unit for text in masked for unit in text.rows(every).units]
    assert len({unit.bucket for unit in units}) == 1
    together = runner.run(units).embeddings()
    np.testing.assert_array_equal(together, np.concatenate([text.rows(every).encode() for text in masked]))
    each = [alone(tower, line, row, replaces=replaces) for line in lines for row in every]
    np.testing.assert_allclose(together, each, atol=1e-5)


@torch.inference_mode()
def test_other_cuts_other_tokens_and_other_removals_are_other_buckets(tower: TextTower) -> None:
    every = enumerate_product(len(LINE.content), 0.5).coalitions
    longer = TextLine((*LINE.ids, 5), LINE.content, 9)
    elsewhere = replace(LINE, content=(1, 3, 4, 6, 7))
    buckets = [
        shared(tower, line, replaces=replaces).rows(rows).units[0].bucket
        for line, replaces, rows in [
            (LINE, False, every),
            (LINE, True, every),
            (longer, False, every),
            (elsewhere, False, every),
        ]
    ]
    assert len(set(buckets)) == 4
    n = 14
    long = TextLine(tuple(range(n + 2)), tuple(range(1, n + 1)), n + 1)
    drawn = np.random.default_rng(0).random((3, n)) < 0.5
    whole = enumerate_product(9, 0.5).coalitions
    many = np.concatenate([whole, np.zeros((len(whole), n - 9), bool)], axis=1)
    text = shared(tower, long, replaces=False)
    few, cut = (PrefixRows.of(text.texts, text.line, rows) for rows in (drawn, many))
    assert len(few.stages) == 1 < len(cut.stages)
    assert few.bucket != cut.bucket


@torch.inference_mode()
def test_halves_are_the_whole(tower: TextTower) -> None:
    every = enumerate_product(len(LINE.content), 0.5).coalitions[:27]
    (unit,) = shared(tower, LINE, replaces=False).rows(every).units
    first, second = unit.halves()
    assert (len(first), len(second)) == (13, 14)
    halves = [unit.tower.run([half]).embeddings() for half in (first, second)]
    np.testing.assert_allclose(np.concatenate(halves), unit.tower.run([unit]).embeddings(), atol=1e-6)


@torch.inference_mode()
def test_units_are_bounded(tower: TextTower) -> None:
    n = 10
    line = TextLine(tuple(range(n + 2)), tuple(range(1, n + 1)), n + 1)
    every = enumerate_product(n, 0.5).coalitions
    assert [len(unit) for unit in shared(tower, line, replaces=False).rows(every).units] == [682, 342]
    tight = shared(tower, line, replaces=False, positions=1_200).rows(every).units
    assert all(unit.positions <= 1_200 for unit in tight)
    assert sum(len(unit) for unit in tight) == len(every)


@torch.inference_mode()
def test_enumeration_takes_about_twice_the_coalitions(tower: TextTower) -> None:
    """What the module is for: positions that the first block runs."""
    positions = 0

    class Counted:
        def __init__(self, block: Any) -> None:
            self.block = block

        def qkv(self, x: torch.Tensor, **options: Any) -> Any:
            nonlocal positions
            positions += x.shape[0] * x.shape[1]
            return self.block.qkv(x, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.block, name)

    n = 10
    line = TextLine(tuple(range(n + 2)), tuple(range(1, n + 1)), n + 1)
    blocks: Sequence[Any] = (Counted(tower.blocks[0]), *tower.blocks[1:])
    counted = shared(replace(tower, blocks=tuple(blocks)), line, replaces=False)
    rows = counted.rows(enumerate_product(n, 0.5).coalitions)
    rows.encode()
    assert 2 ** (n + 1) <= positions < 1.2 * 2 ** (n + 1)
    assert sum(unit.positions for unit in rows.units) <= positions
    positions = 0
    counted.rows(np.random.default_rng(0).random((200, n)) < 0.5).encode()
    assert positions < 0.8 * 200 * (n + 2)
