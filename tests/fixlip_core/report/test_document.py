from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixlip_core.errors import InvalidImageError
from fixlip_core.explanation import Explanation
from fixlip_core.report import report_document
from fixlip_core.types import FloatArray, ImageArray
from tests.support.explanations import attribution, example, pair_attribution, with_regions

VIEW = np.arange(6 * 9 * 3, dtype=np.uint8).reshape(6, 9, 3)
KINDS: list[Callable[[], Explanation]] = [example, attribution, pair_attribution, with_regions]


def floats(text: str) -> FloatArray:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")


def reported(explanation: Explanation, **options: Any) -> dict[str, Any]:
    document = report_document(explanation, VIEW, **options)
    found: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))["explanation"]
    return found


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_it_has_every_value(make: Callable[[], Explanation]) -> None:
    explanation = make()
    found = reported(explanation)
    rows, columns = np.triu_indices(explanation.n_players, 1)
    assert np.array_equal(floats(found["first"]), explanation.first.astype(np.float32))
    assert np.array_equal(floats(found["main_effects"]), explanation.main_effects().astype(np.float32))
    if explanation.order == 2:
        assert np.array_equal(floats(found["pairs"]["values"]), explanation.second[rows, columns].astype(np.float32))
    assert found["labels"] == [explanation.players.label(player) for player in range(explanation.n_players)]
    assert found["tokens"] == list(explanation.tokens)
    assert (found["grid"], found["regions"]) == (list(explanation.grid), list(explanation.regions))
    assert (found["additive"], found["order"]) == (explanation.additive, explanation.order)


def test_pairs_come_row_by_row() -> None:
    second = np.zeros((9, 9))
    for k, (i, j) in enumerate(zip(*np.triu_indices(9, 1), strict=True)):
        second[i, j] = second[j, i] = k
    found = reported(dataclasses.replace(example(), second=second))
    assert floats(found["pairs"]["values"]).tolist() == list(range(36))


def test_values_without_standard_errors() -> None:
    found = reported(example())
    assert found["first_std_error"] is None
    errors = floats(found["pairs"]["std_errors"])
    assert np.isnan(errors).sum() == 30
    assert errors[0] == 0.25
    assert reported(pair_attribution())["pairs"]["std_errors"] is None


def test_an_attribution_has_no_model() -> None:
    found = reported(attribution())
    assert (found["baseline"], found["p"], found["estimated_r2"], found["pairs"]) == (None,) * 4
    assert reported(example())["baseline"] == 1 / 3


def test_without_pairs() -> None:
    found = reported(example(), pairs=False)
    assert (found["order"], found["pairs"]) == (2, None)
    assert reported(example(order=1))["pairs"] is None


def test_what_is_nan_in_the_provenance_is_null() -> None:
    found = reported(dataclasses.replace(example(), provenance={"beta": float("nan"), "seed": 3}))
    assert found["provenance"] == {"beta": None, "seed": 3}


def test_the_picture_is_in_it() -> None:
    image = report_document(example(), VIEW)["image"]
    kind, _, data = image["data_url"].partition(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), VIEW)
    assert (image["width"], image["height"]) == (9, 6)


def test_the_picture_may_be_a_file_and_may_be_left_out() -> None:
    buffer = io.BytesIO()
    Image.fromarray(VIEW).save(buffer, "PNG")
    embedded = report_document(example(), buffer.getvalue())["image"]
    assert base64.b64decode(embedded["data_url"].partition(",")[2]) == buffer.getvalue()
    assert report_document(example(), buffer.getvalue(), embed_image=False)["image"] == {
        "width": 9,
        "height": 6,
        "data_url": None,
    }


@pytest.mark.parametrize(
    "image",
    [b"", b"\x89PNG view", b"GIF89a\x01\x00\x01\x00\x00\x00\x00", VIEW[..., 0], VIEW / 255, VIEW[:0]],
    ids=["nothing", "damaged", "gif", "grey", "floats", "empty"],
)
def test_what_is_no_picture(image: ImageArray | bytes) -> None:
    with pytest.raises(InvalidImageError):
        report_document(example(), image)


def test_what_belongs_to_a_job_is_passed_on() -> None:
    job, evaluation, audit = {"id": "a"}, {"seed": 0}, {"version": 1}
    document = report_document(example(), VIEW, job=job, evaluation=evaluation, audit=audit)
    assert (document["format"], document["job"], document["evaluation"], document["audit"]) == (
        1,
        job,
        evaluation,
        audit,
    )
    assert [report_document(example(), VIEW)[name] for name in ("job", "evaluation", "audit")] == [None] * 3
