from __future__ import annotations

from time import monotonic

import pytest

from fixlip_core.batching import BatchRun
from worker.trail import MAX_BATCHES, Trail


def batch(rows: int = 4, *, ended_s: float | None = None) -> BatchRun:
    ended_s = monotonic() if ended_s is None else ended_s
    return BatchRun(modality="image", rows_of={"a": rows}, capacity_rows=8, started_s=ended_s, ended_s=ended_s)


def phases(trail: Trail) -> list[str]:
    return [stretch.phase for stretch in trail.phases]


def test_phases_follow_each_other() -> None:
    trail = Trail()
    with trail.phase("inputs"):
        pass
    with trail.phase("render"):
        pass
    first, second = trail.phases
    assert (first.phase, second.phase) == ("inputs", "render")
    assert first.started_s <= first.ended_s <= second.started_s <= second.ended_s


def test_a_phase_that_fails_was_one() -> None:
    trail = Trail()
    with pytest.raises(KeyError), trail.phase("store"):
        raise KeyError
    assert phases(trail) == ["store"]


def test_what_follows_the_last_batch_is_solving() -> None:
    trail = Trail()
    with trail.passes():
        trail.note(batch(), 4)
        trail.note(last := batch(), 4)
    passes, solve = trail.phases
    assert (passes.phase, solve.phase) == ("passes", "solve")
    assert passes.started_s <= passes.ended_s == last.ended_s == solve.started_s <= solve.ended_s


def test_without_batches_all_is_passes() -> None:
    trail = Trail()
    with trail.passes():
        pass
    assert phases(trail) == ["passes"]


def test_a_batch_of_before_is_no_end_of_these_passes() -> None:
    trail = Trail()
    trail.note(batch(ended_s=0.0), 4)
    with trail.passes():
        pass
    passes, solve = trail.phases
    assert passes.started_s == passes.ended_s == solve.started_s


def test_only_the_first_batches_are_kept() -> None:
    trail = Trail()
    for rows in range(MAX_BATCHES + 5):
        trail.note(batch(), rows)
    assert [part.rows for part in trail.batches] == list(range(MAX_BATCHES))
    assert trail.n_batches == MAX_BATCHES + 5
