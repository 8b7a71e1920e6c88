"""The card as JSON and back, tolerant of nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fixlip_core.encoders.card import ModelCard
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
    with pytest.raises((KeyError, TypeError), match=field):
        ModelCard.from_dict(data)


def test_no_field_may_be_added() -> None:
    with pytest.raises(TypeError, match="colour"):
        ModelCard.from_dict({**CARD.to_dict(), "colour": "blue"})
