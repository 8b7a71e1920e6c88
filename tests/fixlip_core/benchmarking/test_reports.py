from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fixlip_core.benchmarking import Outcome, Setup, Variant, write_report
from tests.fixlip_core.benchmarking.conftest import MakeOutcome

CHARTS = ("aid", "confidence", "curves-first-order", "curves-second-order", "faithfulness", "pointing")


@pytest.fixture(scope="module")
def report(
    tmp_path_factory: pytest.TempPathFactory, setup: Setup, outcomes: list[Outcome], variants: tuple[Variant, ...]
) -> Path:
    out = tmp_path_factory.mktemp("report")
    write_report(out, setup, outcomes[::-1], variants)
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_figures_in_both_forms(report: Path) -> None:
    names = sorted(path.name for path in (report / "figures").iterdir())
    assert names == sorted(f"{name}.{kind}" for name in CHARTS for kind in ("png", "svg"))
    text = (report / "report.md").read_text(encoding="utf-8")
    assert all(f"](figures/{name}.png)" in text for name in CHARTS)


def test_tables_in_markdown(report: Path, variants: tuple[Variant, ...]) -> None:
    text = (report / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Benchmark of explanations: demo (seed 0)\n")
    for title in ("Pointing game", "Area between", "p-faithfulness", "Confidence drop"):
        assert f"\n## {title}" in text
    header = next(line for line in text.splitlines() if line.startswith("| method | 1 object"))
    lines = [line for line in text.splitlines() if line.startswith(f"| {variants[0].label} |")]
    assert len(lines) == 4
    assert lines[0].count("|") == header.count("|")


def test_a_row_for_each_explanation_and_score(report: Path, outcomes: list[Outcome]) -> None:
    found = rows(report / "scores.csv")
    assert len(found) == sum(len(outcome.figures) for outcome in outcomes)
    row, figure = found[0], outcomes[0].figures[0]
    assert (row["metric"], row["score"], float(row["value"])) == (figure.metric, figure.name, figure.value)
    assert json.loads(row["parameters"]) == outcomes[0].parameters
    assert row["model"] == "demo"
    missing = [row for row in found if not row["value"]]
    assert missing
    assert all(row["note"] for row in missing)


def test_means_by_number_of_objects(report: Path, outcomes: list[Outcome]) -> None:
    found = rows(report / "summary.csv")
    chosen = [row for row in found if (row["variant"], row["score"]) == ("grad_eclip", "spearman")]
    assert [(row["n_objects"], row["n"]) for row in chosen] == [("all", "2"), ("1", "1"), ("2", "1")]
    (figure,) = (f for f in outcomes[2].figures if f.name == "spearman")
    assert float(chosen[1]["mean"]) == figure.value
    assert chosen[1]["std_error"] == ""


def test_what_failed_is_told(
    tmp_path: Path, setup: Setup, variants: tuple[Variant, ...], make_outcome: MakeOutcome
) -> None:
    write_report(tmp_path, setup, [make_outcome("grad_eclip", 3, error="3.png is | no picture")], variants)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "1 explanations are missing; the first: grad_eclip, scene-3: 3.png is | no picture" in text
    (row,) = rows(tmp_path / "scores.csv")
    assert (row["sample"], row["note"], row["value"]) == ("scene-3", "3.png is | no picture", "")
