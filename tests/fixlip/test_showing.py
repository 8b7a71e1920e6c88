from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fixlip.client import Client, JobNotSucceededError
from fixlip.errors import CommandError
from fixlip.showing import document_of, player_of, read_explanation
from fixlip.terminal.portrait import Portrait
from fixlip_core.errors import FormatError
from tests.support.explanations import attribution, example, with_regions
from tests.support.scripted_service import ScriptedService, job, problem

EXPLANATION = replace(example(), tokens=("Red", "red", "circle"))


@contextmanager
def no_service() -> Iterator[Client]:
    """None is asked for where there is a file."""
    raise AssertionError("a service was asked for")
    yield


def scripted(service: ScriptedService) -> Client:
    return Client(service.url, retry_for_s=0)


class TestReading:
    @pytest.mark.parametrize("name", ["interactions.npz", "interactions.json"])
    def test_a_file(self, tmp_path: Path, name: str) -> None:
        EXPLANATION.save(tmp_path / name)
        found = read_explanation(str(tmp_path / name), no_service)
        assert (found.explanation.second == EXPLANATION.second).all()
        assert found.image is None

    @pytest.mark.parametrize("what", ["no-such.npz", "no-such.json", "out/nothing"])
    def test_a_file_that_is_not_there(self, what: str) -> None:
        with pytest.raises(CommandError, match="there is no file"):
            read_explanation(what, no_service)

    def test_a_file_of_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "result.json").write_text('{"tokens": []}')
        with pytest.raises(FormatError):
            read_explanation(str(tmp_path / "result.json"), no_service)

    @pytest.mark.parametrize("what", ["abc", "a" * 300])
    def test_a_job_that_is_none(self, what: str) -> None:
        with ScriptedService() as service:
            service.will(problem(404))
            with pytest.raises(CommandError, match=f"{what} is neither a file nor a job"):
                read_explanation(what, lambda: scripted(service))

    def test_a_job_that_failed(self) -> None:
        with ScriptedService() as service:
            service.will(job("failed", error={"code": "worker_lost", "detail": "twice"}))
            with pytest.raises(JobNotSucceededError, match="twice"):
                read_explanation("abc", lambda: scripted(service))


class TestPlayers:
    def test_none_or_a_word_by_its_text_or_number(self) -> None:
        assert player_of(EXPLANATION, word=None, patch=None) is None
        assert player_of(EXPLANATION, word=" CIRCLE ", patch=None) == 8
        assert player_of(EXPLANATION, word="1", patch=None) == 7
        numbers = replace(EXPLANATION, tokens=("2", "1", "red"))
        assert player_of(numbers, word="2", patch=None) == 6  # the text, not the number

    @pytest.mark.parametrize(("word", "trouble"), [("red", "more than one"), ("blue", "no word"), ("3", "no word")])
    def test_a_word_that_is_none_or_several(self, word: str, trouble: str) -> None:
        with pytest.raises(CommandError, match=f"there is {trouble} '{word}'.*0 'Red', 1 'red', 2 'circle'"):
            player_of(EXPLANATION, word=word, patch=None)

    def test_a_patch_or_its_region(self) -> None:
        assert player_of(EXPLANATION, word=None, patch="1, 2") == 5
        assert player_of(with_regions(), word=None, patch="0,3") == 1

    @pytest.mark.parametrize("patch", ["2,0", "0,3", "1", "a,b", "-1,0", ""])
    def test_a_patch_that_is_none(self, patch: str) -> None:
        with pytest.raises(CommandError, match="--patch is ROW,COLUMN up to 1,2"):
            player_of(EXPLANATION, word=None, patch=patch)

    def test_there_are_no_pairs_of_order_1(self) -> None:
        with pytest.raises(CommandError, match="order 1"):
            player_of(attribution(), word="a", patch=None)


def test_document_is_json_for_machines() -> None:
    explanation = replace(EXPLANATION, tokens=("Red", "\x1b[2J", "circle"))
    text = document_of(Portrait(explanation=explanation, player=7, top=3))
    assert text.isascii()
    assert "\x1b" not in text
    document = json.loads(text)
    assert document["tokens"] == list(explanation.tokens)
    assert document["estimated_r2"] is None
    main = explanation.main_effects()
    assert document["patches"] == main[:6].reshape(2, 3).tolist()
    assert [word["main_effect"] for word in document["words"]] == main[6:].tolist()
    first = document["top"][0]
    assert first["players"][0] == 7
    assert first["value"] == explanation.second[tuple(first["players"])]
    assert first["labels"][0] == "\x1b[2J"
    assert abs(first["value"]) == np.abs(explanation.second[7]).max()
    assert len(document["top"]) == 3
