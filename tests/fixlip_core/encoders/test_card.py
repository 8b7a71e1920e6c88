"""The card as JSON and back, tolerant of nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fixlip_core.encoders.card import ModelCard
from fixlip_core.errors import FormatError
from tests.support.fake_encoder import CARD


def test_json_and_back() -> None:
    card = replace(CARD, grid=(3, 5), image_size_px=(24, 40), n_marks=1, attention=False)
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_marks_take_positions() -> None:
    assert replace(CARD, context_length=64, n_marks=1).max_tokens == 63


@pytest.mark.parametrize("field", sorted(CARD.to_dict()))
def test_no_field_may_be_missing(field: str) -> None:
    data = CARD.to_dict()
    del data[field]
    with pytest.raises(FormatError, match=f"not a model card: {field}: Field required"):
        ModelCard.from_dict(data)


def test_no_field_may_be_added() -> None:
    with pytest.raises(FormatError, match="colour"):
        ModelCard.from_dict({**CARD.to_dict(), "colour": "blue"})


@pytest.mark.parametrize("changed", [{"grid": [7]}, {"embed_dim": "wide"}, {"image_size_px": None}, {"id": 7}])
def test_no_field_may_be_of_another_kind(changed: dict[str, Any]) -> None:
    (field,) = changed
    with pytest.raises(FormatError, match=f"not a model card: {field}"):
        ModelCard.from_dict({**CARD.to_dict(), **changed})
