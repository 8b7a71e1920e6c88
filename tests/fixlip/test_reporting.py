from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from fixlip.client import Job, JobNotSucceededError, Score
from fixlip.reporting import program_name, show_explanation, show_progress, show_scores
from fixlip_core.explanation import Explanation
from tests.support.consoles import signed
from tests.support.explanations import attribution, pair_attribution, with_regions
from tests.support.scripted_service import JOB


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=120)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def an_explanation(**changes: Any) -> Explanation:
    second = np.zeros((6, 6))
    second[2, 4] = second[4, 2] = -0.75  # patch (1, 0) and the word "red"
    second[0, 5] = second[5, 0] = 0.5
    second[0, 1] = second[1, 0] = 9.0  # of two patches: not in the table
    fields: dict[str, Any] = {
        "tokens": ("red", "[b]"),
        "grid": (2, 2),
        "baseline": 0.0,
        "first": np.array([0.0, 1.25, 0.0, 0.0, -2.5, 0.0]),
        "second": second,
        "first_std_error": np.full(6, np.nan),
        "second_std_error": np.full((6, 6), 0.0625),
        "empty_value": 1.5,
        "full_value": 2.5,
        "method": "fixlip",
        "index": "WFBII",
        "order": 2,
        "p": 0.5,
        "score": "logit",
        "image_passes": 64,
        "text_passes": 4,
        "estimated_r2": 0.9876,
    }
    return Explanation(**{**fields, **changes})


def test_table_of_pairs(console: Console) -> None:
    show_explanation(console, an_explanation())
    lines = [line.split() for line in printed(console).splitlines()]
    assert lines[0] == ["Strongest", "interactions"]
    assert ["red", "(1,", "0)", signed("-0.7500"), "±", "0.0625"] in lines
    assert ["[b]", "(0,", "0)", "+0.5000", "±", "0.0625"] in lines
    assert lines.index(["red", "(1,", "0)", signed("-0.7500"), "±", "0.0625"]) < lines.index(
        ["[b]", "(0,", "0)", "+0.5000", "±", "0.0625"]
    )
    assert "9.0" not in printed(console)
    assert "v(full) = 2.500, v(empty) = 1.500, from 64 image and 4 text passes" in printed(console)
    assert "faithfulness, estimated (leave-one-out): R² = 0.9876" in printed(console)


def test_table_of_players_without_errors(console: Console) -> None:
    show_explanation(console, an_explanation(order=1, second=np.zeros((6, 6)), estimated_r2=float("nan")))
    lines = [line.split() for line in printed(console).splitlines()]
    assert lines[0] == ["Strongest", "players"]
    assert lines.index(["red", signed("-2.5000")]) < lines.index(["(0,", "1)", "+1.2500"])
    assert "faithfulness" not in printed(console)


def test_pairs_of_an_attribution_have_neither_errors_nor_faithfulness(console: Console) -> None:
    explanation = pair_attribution()
    show_explanation(console, explanation)
    lines = printed(console).splitlines()
    assert lines[0].strip() == "Strongest pairs"
    assert "attribution (exCLIP)" in printed(console)
    assert f"{explanation.top_interactions(1)[0].value:+.4f}" in printed(console)
    assert "faithfulness" not in printed(console)
    assert "\N{PLUS-MINUS SIGN}" not in printed(console)


def test_both_towers_of_an_attribution_are_shown(console: Console) -> None:
    explanation = attribution()
    show_explanation(console, explanation)
    lines = [line.split() for line in printed(console).splitlines()]
    assert lines[0] == ["Strongest", "players"]
    for token, value in zip(explanation.tokens, explanation.first[6:], strict=True):
        assert [token, signed(f"{value:+.4f}")] in lines
    assert sum(line[:1] in (["(0,"], ["(1,"]) for line in lines if line) == 5


def test_regions_are_called_by_their_number(console: Console) -> None:
    explanation = with_regions()
    show_explanation(console, explanation)
    pair = explanation.top_interactions(1, cross_modal=True)[0]
    lines = [line.split() for line in printed(console).splitlines()]
    assert [pair.labels[1], *pair.labels[0].split(), signed(f"{pair.value:+.4f}"), "±", "0.1000"] in lines
    assert "patch" not in printed(console)


def test_regions_that_have_names_are_called_by_them(console: Console) -> None:
    names = tuple(f"[/{number}]" for number in range(with_regions().players.n_image))
    explanation = replace(with_regions(), region_labels=names)
    show_explanation(console, explanation)
    pair = explanation.top_interactions(1, cross_modal=True)[0]
    assert pair.labels[0] in printed(console)


def test_words_that_come_again_are_numbered(console: Console) -> None:
    show_explanation(console, an_explanation(tokens=("red", "red")))
    assert "red (token 0)" in printed(console)
    assert "red (token 1)" in printed(console)


def job(status: str, completed: int, total: int, **changes: Any) -> Job:
    progress = {"completed": completed, "total": total}
    return Job.model_validate({**JOB, "status": status, "progress": progress, **changes})


def test_bar_ends_with_the_last_state(console: Console) -> None:
    states = [job("queued", 0, 0), job("running", 3, 9), job("succeeded", 9, 9)]
    assert show_progress(console, states[0], iter(states)) is states[-1]
    assert "succeeded" in printed(console)
    assert "9/9 forward passes" in printed(console)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (job("failed", 0, 9, error={"code": "worker_lost", "detail": "twice"}), r"job failed \(worker_lost\): twice"),
        (job("canceled", 0, 9), r"job canceled \(canceled\): no reason"),
    ],
)
def test_job_that_did_not_succeed(console: Console, last: Job, message: str) -> None:
    with pytest.raises(JobNotSucceededError, match=message):
        show_progress(console, job("queued", 0, 0), iter([job("running", 0, 9), last]))


def test_scores_with_their_intervals_and_notes(console: Console) -> None:
    given: dict[str, Any] = {"metric": "faithfulness", "higher_is_better": True}
    note = "it has no [R2]"
    show_scores(
        console,
        [
            Score(**given, name="r2", note=note),
            Score(**given, name="other", note=note),
            Score(**given, name="pearson", value=0.5, ci_low=0.25, ci_high=0.75),
        ],
    )
    lines = [" ".join(line.replace("│", "").split()) for line in printed(console).splitlines()]
    assert "faithfulness r2 -" in lines
    assert "faithfulness pearson 0.5000 0.2500 to 0.7500" in lines
    assert lines[-1] == f"faithfulness r2, faithfulness other: {note}"


def test_the_program_is_called_as_it_can_be_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [".venv/bin/fixlip", "demo"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program_name() == ".venv/bin/fixlip"
    monkeypatch.setattr("sys.argv", ["/somewhere/fixlip/__main__.py", "demo"])
    assert program_name() == "python -m fixlip"
    program = tmp_path / "fixlip"
    program.touch(mode=0o755)
    assert program_name() == "fixlip"
