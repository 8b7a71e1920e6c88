"""Shared beginnings against each coalition run by itself, masked and replaced, enumerated and drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fixlip_core.coalitions import enumerate_product
from fixlip_core.encoders.blocks import open_clip_block
from fixlip_core.encoders.prefixes import encode_by_prefix
from tests.support.small_models import small_clip

LENGTH = 9
# Two marks in front and one within the content.
CONTENT = (2, 3, 4, 6, 7)


@pytest.fixture(scope="module")
def tower() -> tuple[Any, torch.Tensor, torch.Tensor]:
    """Blocks, what enters them, and what enters where a token is replaced."""
    model = small_clip(text={"layers": 3}).model
    line, replaced = torch.randn(2, LENGTH, 32, generator=torch.Generator().manual_seed(0)).unbind()
    return [open_clip_block(block) for block in model.transformer.resblocks], line, replaced


def alone(blocks: Any, line: torch.Tensor, row: np.ndarray, replaced: torch.Tensor | None) -> torch.Tensor:
    """(W,) one coalition, all positions at once, with masks in every layer."""
    present = torch.ones(LENGTH, dtype=torch.bool)
    present[list(CONTENT)] = torch.tensor(row)
    mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
    if replaced is None:
        mask &= present
    x = line if replaced is None else torch.where(present[:, None], line, replaced)
    for block in blocks:
        x = block(x, mask=mask)
    return x[-1]


@torch.inference_mode()
@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("rows", ["all", "shuffled", "some", "one"])
def test_every_coalition_is_the_tower_run_alone(tower: Any, rows: str, replaces: bool) -> None:
    blocks, line, instead = tower
    replaced = instead if replaces else None
    rng = np.random.default_rng(6)
    every = enumerate_product(len(CONTENT), 0.5).coalitions
    coalitions = {
        "all": every,
        "shuffled": every[rng.permutation(np.r_[0 : len(every), 0:9])],
        "some": every[rng.permutation(len(every))[:11]],
        "one": every[5:6],
    }[rows]
    shared = encode_by_prefix(blocks, line, CONTENT, coalitions, replaced=replaced)
    each = torch.stack([alone(blocks, line, row, replaced) for row in coalitions])
    np.testing.assert_allclose(shared.numpy(), each.numpy(), atol=2e-5)


@torch.inference_mode()
def test_enumeration_takes_about_twice_the_coalitions(tower: Any) -> None:
    """What the module is for: positions that the first block runs."""
    blocks, line, _ = tower
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
    longer = torch.cat([line, line])[: n + 2]
    counted: Any = [Counted(blocks[0]), *blocks[1:]]
    coalitions = enumerate_product(n, 0.5).coalitions
    encode_by_prefix(counted, longer, range(1, n + 1), coalitions)
    assert 2 ** (n + 1) <= positions < 1.2 * 2 ** (n + 1)
    positions = 0
    drawn = np.random.default_rng(0).random((200, n)) < 0.5
    encode_by_prefix(counted, longer, range(1, n + 1), drawn)
    assert positions < 0.8 * 200 * (n + 2)
