from __future__ import annotations

import time

import numpy as np
import pytest

from fixlip_core.encoders.batches import checked_coalitions, shortest_s
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


def test_the_first_run_only_warms_up() -> None:
    naps = iter([0.2, 0.02, 0.01, 0.03])
    assert 0.01 <= shortest_s(lambda: time.sleep(next(naps))) < 0.02
    assert next(naps, None) is None
