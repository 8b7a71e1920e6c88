from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from fixlip.client import Client
from fixlip.comparing import Way, ways_of
from fixlip.errors import CommandError
from fixlip_core.errors import InputError
from tests.support.jobs import png
from tests.support.processes import fixlip
from tests.support.recipes import ROOT, check_command


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "picture.png"
    path.write_bytes(png())
    return str(path)


def test_the_commands_of_its_page_are_real() -> None:
    page = (ROOT / "docs" / "comparisons.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (fixlip compare [^\n]*)", page, flags=re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        check_command(shlex.split(command))


class TestWays:
    def test_every_model_with_every_method(self) -> None:
        ways = ways_of("a, b", "fixlip:p=0.3+order=1,exclip")
        assert ways == [
            Way("a", "fixlip", {"p": 0.3, "order": 1}),
            Way("a", "exclip", {}),
            Way("b", "fixlip", {"p": 0.3, "order": 1}),
            Way("b", "exclip", {}),
        ]

    def test_models_or_methods_alone(self) -> None:
        assert ways_of("a,b", None) == [Way("a"), Way("b")]
        assert ways_of(None, "fixlip,exclip") == [Way(None, "fixlip", {}), Way(None, "exclip", {})]

    @pytest.mark.parametrize(("models", "methods"), [(None, None), ("a", "fixlip"), ("a,b,c", "fixlip,exclip,game")])
    def test_two_to_eight(self, models: str | None, methods: str | None) -> None:
        with pytest.raises(CommandError, match="two to 8 explanations"):
            ways_of(models, methods)

    def test_a_method_or_parameter_that_is_none(self) -> None:
        with pytest.raises(InputError, match="nothing"):
            ways_of(None, "fixlip,nothing")
        with pytest.raises(InputError, match="beta"):
            ways_of(None, "fixlip,fixlip:beta=1")


def test_a_pair_is_explained_and_compared(service_url: str, picture: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    methods = "fixlip:p=0.4+budget=64,fixlip:p=0.6+budget=64+order=1"
    outcome = fixlip("compare", picture, "a red circle", "--url", service_url, "--methods", methods, "--out", str(out))
    assert outcome.returncode == 0, outcome.stderr
    assert "1 and 2" in outcome.stdout
    assert f"the figure and the table are in {out}" in outcome.stdout
    comparison = json.loads((out / "comparison.json").read_text())
    assert [entry["params"]["p"] for entry in comparison["explanations"]] == [0.4, 0.6]
    rows = list(csv.DictReader((out / "agreement.csv").read_text().splitlines()))
    assert [row["part"] for row in rows] == ["image", "text", "pairs"]
    assert float(rows[0]["spearman"]) == comparison["agreements"][0]["spearman"]
    assert (rows[2]["spearman"], rows[2]["note"]) == ("", "an explanation has no values of pairs")
    assert (out / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "comparison.svg").read_bytes().startswith(b"<svg")

    ids = [entry["id"] for entry in comparison["explanations"]]
    again = fixlip("compare", "--jobs", *ids[::-1], "--url", service_url, "--out", str(tmp_path / "again"))
    assert again.returncode == 0, again.stderr
    other = json.loads((tmp_path / "again" / "comparison.json").read_text())
    assert [entry["id"] for entry in other["explanations"]] == ids[::-1]


def test_jobs_of_two_pairs(service_url: str, tmp_path: Path) -> None:
    with Client(service_url) as client:
        ids = [
            client.submit(image=png(), caption=caption, params={"budget": 64}, wait_s=30).id
            for caption in ("a dog", "a cat")
        ]
    outcome = fixlip("compare", "--jobs", *ids, "--url", service_url, "--out", str(tmp_path / "out"))
    assert outcome.returncode == 1
    assert "are not of the same caption" in outcome.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", [["no-such-file.png", "a dog"], ["only"], ["a", "b", "c"]])
def test_neither_a_pair_nor_jobs(given: list[str]) -> None:
    outcome = fixlip("compare", *given)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("fixlip: give a picture and a caption, as in `fixlip compare")
