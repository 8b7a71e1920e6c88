from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from fixlip.cli import app
from fixlip.errors import CommandError
from fixlip.evaluations import read_evaluation
from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation import Interval
from tests.support.explanations import attribution, example

CURVE = [1 - k / 50 for k in range(51)]


def evaluation(**changes: Any) -> dict[str, Any]:
    score = {"metric": "faithfulness", "name": "r2", "value": 0.9, "ci_low": 0.8, "ci_high": 0.95}
    curves = {"most_first": CURVE, "least_first": CURVE, "area": 0.0}
    found = {"removed": CURVE[::-1], "first_order": curves, "second_order": None, "subsets": None}
    return {
        "evaluate": ["faithfulness", "aid"],
        "seed": 0,
        "scores": [
            {**score, "higher_is_better": True},
            {"metric": "aid", "name": "second_order", "value": None, "higher_is_better": True, "note": "no pairs"},
        ],
        "image_passes": 1,
        "text_passes": 2,
        "insertion_deletion": {**found, "empty_value": 0.0, "full_value": 1.0, "flipped": False},
        **changes,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A result as a job leaves it: the tensor, what the model saw, what the metrics found."""
    example().save(tmp_path / "interactions.npz")
    Image.new("RGB", (30, 20), "white").save(tmp_path / "view.png")
    (tmp_path / "evaluation.json").write_text(json.dumps(evaluation()))
    return tmp_path


def figure(folder: Path, *options: str) -> list[str]:
    """Names of the files that the command says it has written, all of which are there."""
    out = folder / "figures"
    done = CliRunner().invoke(app, ["figure", str(folder / "interactions.npz"), "--out", str(out), *options])
    if done.exception is not None:
        raise done.exception
    paths = [Path(line) for line in done.stdout.split()]
    assert all(path.parent == out and path.stat().st_size > 0 for path in paths)
    return [path.name for path in paths]


def test_what_lies_beside_the_result_is_drawn(folder: Path) -> None:
    kinds = ("first-order", "token-1", "words", "graph", "insertion-deletion", "scores")
    written = figure(folder, "--format", "svg", "--width", "60mm")
    assert [name.startswith("token-") or name.removesuffix(".svg") in kinds for name in written] == [True] * 6


def test_what_is_asked_for_is_drawn_as_it_is_asked_for(folder: Path) -> None:
    written = figure(folder, "--kind", "scores, conditioned", "--token", "2", "--format", "png,pdf", "--width", "page")
    assert written == ["scores.png", "scores.pdf", "token-2.png", "token-2.pdf"]
    with Image.open(folder / "figures" / "token-2.png") as png:
        assert png.width == 2100


def test_of_players_alone_there_is_the_heat_map(folder: Path) -> None:
    attribution().save(folder / "interactions.npz")
    (folder / "evaluation.json").write_text(json.dumps(evaluation(insertion_deletion=None)))
    assert figure(folder, "--format", "svg") == ["first-order.svg", "scores.svg"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (["--width", "wide"], CommandError, "--width must be column, page, or millimetres as in 85mm, not 'wide'"),
        (["--width", "5mm"], InvalidParameterError, "width must be column, page, or 60 to 250 millimetres"),
        (["--kind", "pie"], InvalidParameterError, "kind must be one of first-order"),
        (["--kind", "scores", "--format", "gif"], InvalidParameterError, "format must be one of png, svg, pdf"),
    ],
)
def test_what_cannot_be_is_told(folder: Path, options: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        figure(folder, *options)


def test_without_picture_and_evaluation_there_is_nothing_to_draw(folder: Path) -> None:
    (folder / "view.png").unlink()
    (folder / "evaluation.json").unlink()
    with pytest.raises(CommandError, match="figures need --image"):
        figure(folder)


def test_an_evaluation_is_read_as_it_was_found(folder: Path) -> None:
    found = read_evaluation(folder / "evaluation.json")
    assert [score.name for score in found.scores] == ["r2", "second_order"]
    assert found.scores[0].interval == Interval(0.8, 0.95)
    assert found.scores[1].value != found.scores[1].value  # nan
    assert found.curves is not None
    assert found.curves.first_order.most_first.tolist() == CURVE


@pytest.mark.parametrize("content", ["", "[]", '{"evaluate": []}'])
def test_another_document_is_no_evaluation(tmp_path: Path, content: str) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(content)
    with pytest.raises(CommandError, match="is no evaluation"):
        read_evaluation(path)
    with pytest.raises(CommandError, match="cannot be read"):
        read_evaluation(tmp_path / "nothing.json")
