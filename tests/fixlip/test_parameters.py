from __future__ import annotations

from pathlib import Path

import pytest

from fixlip.errors import CommandError
from fixlip.parameters import parse_parameters


def test_values_are_json_or_else_text() -> None:
    given = [
        "beta=0.1",
        "steps=5",
        "score=logit",
        'variant="published"',
        "boxes=[[0, 0, 8, 8.5]]",
        "block=null",
        "a=b=c",
    ]
    assert parse_parameters(given) == {
        "beta": 0.1,
        "steps": 5,
        "score": "logit",
        "variant": "published",
        "boxes": [[0, 0, 8, 8.5]],
        "block": None,
        "a": "b=c",
    }
    assert parse_parameters([]) == {}


def test_long_values_are_read_from_files(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text("[[0, 1], [1, 1]]")
    assert parse_parameters([f"regions=@{path}"]) == {"regions": [[0, 1], [1, 1]]}


@pytest.mark.parametrize("text", ["beta", "=1", ""])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="NAME=VALUE"):
        parse_parameters([text])


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(CommandError, match="--param p is given more than once"):
        parse_parameters(["p=0.5", "seed=1", "p=0.3"])


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"regions: cannot read .*none\.json: No such file"):
        parse_parameters([f"regions=@{tmp_path / 'none.json'}"])
    (tmp_path / "bad.json").write_text("[[0, 1")
    with pytest.raises(CommandError, match=r"bad\.json is not JSON"):
        parse_parameters([f"regions=@{tmp_path / 'bad.json'}"])
