from __future__ import annotations

import numpy as np
import pytest
import torch

from fixlip_core.defaults import POSITIONS_PER_BATCH
from fixlip_core.encoders.batches import checked_coalitions, operations_of, positions_per_batch, rows_per_call
from fixlip_core.errors import InvalidParameterError


def test_coalitions_are_copied_in_order() -> None:
    given = np.asfortranarray(np.random.default_rng(0).random((5, 3)) < 0.5)
    checked = checked_coalitions(given, 3)
    np.testing.assert_array_equal(checked, given)
    assert checked.flags["C_CONTIGUOUS"]
    assert not np.shares_memory(checked, given)


@pytest.mark.parametrize("wrong", [np.ones((2, 4), bool), np.ones(3, bool), np.ones((2, 3)), np.ones((1, 2, 3), bool)])
def test_other_shapes_and_kinds_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(InvalidParameterError, match=r"\(m, 3\)") as caught:
        checked_coalitions(wrong, 3)
    assert caught.value.field == "coalitions"


def test_batches_suit_a_cpu_and_fill_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert positions_per_batch(torch.device("cpu"), 3_072) == POSITIONS_PER_BATCH
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (80 * 2**30, 80 * 2**30))
    large = positions_per_batch(torch.device("cuda:0"), 3_072)
    assert 20 * 3_072 * large <= 20 * 2**30 < 20 * 3_072 * (large + 1)
    assert rows_per_call(large, 197, 77) == (large // 197, large // 77)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (0, 80 * 2**30))
    assert positions_per_batch(torch.device("cuda:0"), 3_072) == POSITIONS_PER_BATCH
    assert rows_per_call(POSITIONS_PER_BATCH, 4_096, 77) == (64, 2_048)


def test_operations_are_counted_by_formula() -> None:
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    image, kernel = torch.ones(1, 3, 8, 8), torch.ones(4, 3, 2, 2)
    assert operations_of(lambda: a @ b) == 2 * 3 * 5 * 7
    assert operations_of(lambda: a + 1) == 0
    assert operations_of(lambda: torch.nn.functional.conv2d(image, kernel, stride=2)) == 2 * 4 * 4 * 4 * 3 * 2 * 2
    with torch.inference_mode():
        assert operations_of(lambda: torch.nn.functional.linear(a, b.T, torch.ones(7))) == 2 * 3 * 5 * 7
