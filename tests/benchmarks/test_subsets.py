from __future__ import annotations

import pytest

from benchmarks.subsets import GAMES, agreement


@pytest.mark.parametrize("kind", GAMES)
def test_the_search_finds_the_extreme_value_at_nearly_every_size(kind: str) -> None:
    assert agreement(GAMES[kind], 50) >= 0.95
