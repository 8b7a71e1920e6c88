from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixlip_core.benchmarking import Setup
from fixlip_core.errors import FormatError, InvalidParameterError


def test_only_the_same_goes_on(tmp_path: Path, setup: Setup) -> None:
    path = tmp_path / "setup.json"
    setup.save(path)
    setup.check(path)
    with pytest.raises(
        InvalidParameterError, match=r"has results of device 'cpu', not 'cuda'; seed 0, not 1; budget 64, not 8"
    ) as caught:
        replace(setup, device="cuda", seed=1, budget=8).check(path)
    assert caught.value.field == "resume"


def test_a_damaged_or_missing_file(tmp_path: Path, setup: Setup) -> None:
    path = tmp_path / "setup.json"
    with pytest.raises(FormatError, match="cannot be read"):
        setup.check(path)
    path.write_text("{}")
    with pytest.raises(FormatError, match="does not say what was run"):
        setup.check(path)
