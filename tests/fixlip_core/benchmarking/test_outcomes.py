from __future__ import annotations

from pathlib import Path

import pytest

from fixlip_core.benchmarking import Figure, Outcome, OutcomeLog, read_outcomes
from fixlip_core.errors import FormatError
from fixlip_core.evaluation import Interval, Score
from tests.fixlip_core.benchmarking.conftest import MakeOutcome


def test_what_is_written_is_read(tmp_path: Path, outcomes: list[Outcome]) -> None:
    path = tmp_path / "outcomes.jsonl"
    assert read_outcomes(path) == []
    with OutcomeLog(path) as log:
        for outcome in outcomes[:2]:
            log.append(outcome)
        assert read_outcomes(path) == outcomes[:2]
    with OutcomeLog(path) as log:
        log.append(outcomes[2])
    assert read_outcomes(path) == outcomes[:3]


def test_an_unfinished_line_is_left_out_and_written_over(tmp_path: Path, make_outcome: MakeOutcome) -> None:
    path = tmp_path / "outcomes.jsonl"
    with OutcomeLog(path) as log:
        log.append(make_outcome("game", 0))
        log.append(make_outcome("game", 1))
    for end in (len(path.read_bytes()) - 1, 10):
        path.write_bytes(path.read_bytes()[:end])
        kept = read_outcomes(path)
        assert [outcome.index for outcome in kept] == list(range(len(kept)))
        with OutcomeLog(path) as log:
            log.append(make_outcome("game", 7))
        assert read_outcomes(path) == [*kept, make_outcome("game", 7)]


def test_a_damaged_line_is_named(tmp_path: Path, make_outcome: MakeOutcome) -> None:
    path = tmp_path / "outcomes.jsonl"
    with OutcomeLog(path) as log:
        log.append(make_outcome("game", 0))
    path.write_bytes(path.read_bytes() + b'{"sample": 3}\n')
    with pytest.raises(FormatError, match=r"outcomes\.jsonl, line 2: sample"):
        read_outcomes(path)


def test_figures_of_scores() -> None:
    score = Score("faithfulness", "r2", 0.5, Interval(0.4, float("nan")), True)
    assert Figure.of(score) == Figure("faithfulness", "r2", 0.5, 0.4, None, True, None)
    score = Score("aid", "second_order", float("nan"), None, True, "of order 1")
    assert Figure.of(score) == Figure("aid", "second_order", None, None, None, True, "of order 1")
