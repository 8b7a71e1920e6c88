"""What the same bits in any batch rest on: rows that are filled up, and attention with few queries."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from fixlip_core.encoders.blocks import fused
from fixlip_core.encoders.steady import STEADY_ROWS, filled, missing_rows, steady


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_only_a_cpu_lacks_rows() -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert [missing_rows(rows, cpu) for rows in (1, 15, 16, 99)] == [15, 1, 0, 0]
    assert missing_rows(3, cpu, at_least=4) == 1
    assert missing_rows(1, cuda) == 0


def test_the_last_row_fills() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert filled(x).shape == (STEADY_ROWS, 3)
    np.testing.assert_array_equal(filled(x)[1:], x[1:].expand(STEADY_ROWS - 1, -1))
    whole = torch.zeros(STEADY_ROWS, 2)
    assert filled(whole) is whole


@torch.inference_mode()
@pytest.mark.parametrize(("width", "out"), [(48, 144), (128, 512), (512, 128), (768, 512)])
def test_products_of_filled_rows_have_their_bits(threads: int, width: int, out: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.randn(300, width, generator=generator), torch.randn(out, width, generator=generator)
    whole = x @ weight.T
    for rows in (1, 2, 3, 5, 7, 11, 16, 17, 63, 129):
        np.testing.assert_array_equal((filled(x[7 : 7 + rows]) @ weight.T)[:rows], whole[7 : 7 + rows])


@torch.inference_mode()
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("queries", [1, 2, 3, 4, 7])
def test_attention_of_a_row_has_its_bits(threads: int, queries: int, masked: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    for keys in (7, 8, 9, 10, 12, 33, 65):
        for width in (16, 64):
            query = torch.randn(40, 3, queries, width, generator=generator)
            key, value = torch.randn(2, 40, 3, keys, width, generator=generator)
            mask = torch.rand(40, 1, queries, keys, generator=generator) < 0.7 if masked else None
            if mask is not None:
                mask[..., 0] = True
            whole = steady(query, key, value, mask)
            each = [
                steady(query[k : k + 1], key[k : k + 1], value[k : k + 1], None if mask is None else mask[k : k + 1])
                for k in range(40)
            ]
            np.testing.assert_array_equal(whole, torch.cat(each))
            np.testing.assert_allclose(whole, fused(query, key, value, mask), atol=1e-5)
