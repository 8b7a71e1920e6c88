"""Round trips to the last bit, loading in shapiq, damaged files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import shapiq

from fixlip_core import formats
from fixlip_core.errors import FormatError
from fixlip_core.explanation import Explanation
from tests.support.explanations import attribution, example, pair_attribution, with_regions


def assert_same(one: Explanation, two: Explanation) -> None:
    for field in dataclasses.fields(Explanation):
        mine, theirs = getattr(one, field.name), getattr(two, field.name)
        if isinstance(mine, np.ndarray | float):
            np.testing.assert_array_equal(mine, theirs)
        else:
            assert mine == theirs


EXAMPLES = {
    "order 1": example(order=1),
    "order 2": example(order=2),
    "regions": with_regions(),
    "named regions": dataclasses.replace(with_regions(), region_labels=("box 0", "box 1", "background")),
    "attribution": attribution(),
    "pair attribution": pair_attribution(),
}


@pytest.mark.parametrize("explanation", EXAMPLES.values(), ids=EXAMPLES.keys())
@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_round_trip_is_exact(tmp_path: Path, suffix: str, explanation: Explanation) -> None:
    path = tmp_path / f"e{suffix}"
    explanation.save(path)
    assert_same(Explanation.load(path), explanation)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_files_from_before_regions_had_names_are_read() -> None:
    document = json.loads(formats.to_json_bytes(with_regions()))
    del document["fixlip"]["region_labels"]
    assert_same(formats.from_json_bytes(json.dumps(document).encode()), with_regions())


def test_same_explanation_gives_the_same_bytes() -> None:
    assert formats.to_npz_bytes(example()) == formats.to_npz_bytes(example())
    assert formats.to_json_bytes(example()) == formats.to_json_bytes(example())


@pytest.mark.parametrize("order", [1, 2])
def test_json_loads_in_shapiq(tmp_path: Path, order: int) -> None:
    explanation = example(order=order)
    explanation.save(tmp_path / "e.json")
    loaded = shapiq.InteractionValues.load(tmp_path / "e.json")
    assert loaded.n_players == 9
    assert loaded[()] == explanation.baseline
    for i in range(9):
        assert loaded[(i,)] == explanation.first[i]
        for j in range(i + 1, 9):
            assert loaded[(i, j)] == explanation.second[i, j]


@pytest.mark.parametrize("explanation", [attribution(), pair_attribution()], ids=["order 1", "order 2"])
def test_attributions_load_in_shapiq_under_their_own_name(tmp_path: Path, explanation: Explanation) -> None:
    explanation.save(tmp_path / "e.json")
    with pytest.warns(UserWarning, match=f"`{explanation.index}` is not a valid interaction index"):
        loaded = shapiq.InteractionValues.load(tmp_path / "e.json")
    with pytest.warns(UserWarning, match="not a valid"):
        made = explanation.to_shapiq()
    for values in (loaded, made):
        assert () not in values.interaction_lookup
        assert values[(4,)] == explanation.first[4]
        assert values[(0, 8)] == explanation.second[0, 8]


def test_to_shapiq_has_the_same_values() -> None:
    explanation = example()
    values = explanation.to_shapiq()
    assert values.index == "FBII"
    assert values.baseline_value == explanation.baseline
    assert values[(0, 8)] == explanation.second[0, 8]
    assert values[(4,)] == explanation.first[4]


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "other", "flipped"])
def test_damaged_files_are_a_format_error(tmp_path: Path, suffix: str, damage: str) -> None:
    path = tmp_path / f"e{suffix}"
    example().save(path)
    data = path.read_bytes()
    damaged = {
        "cut": data[: len(data) // 2],
        "empty": b"",
        "other": b'{"data": {}}',
        "flipped": data[:40] + bytes(b ^ 0xFF for b in data[40:200]) + data[200:],
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(FormatError):
        Explanation.load(path)


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_bytes(formats.to_json_bytes(example()).replace(b'"format_version": 2', b'"format_version": 99'))
    with pytest.raises(FormatError, match="99"):
        Explanation.load(path)


def test_unknown_suffix_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="npz or"):
        example().save(tmp_path / "e.txt")
    with pytest.raises(FormatError, match="npz or"):
        Explanation.load(tmp_path / "e.txt")
    with pytest.raises(FileNotFoundError):
        Explanation.load(tmp_path / "none.npz")


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        example().save(tmp_path / "e.npz")
    assert not list(tmp_path.iterdir())
