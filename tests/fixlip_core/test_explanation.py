"""Views of an explanation."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fixlip_core.errors import InvalidParameterError, NotAdditiveError
from fixlip_core.explanation import Explanation
from tests.support.explanations import attribution, example, pair_attribution, with_regions


def test_prediction_is_the_additive_form() -> None:
    e = example()
    x = np.random.default_rng(1).random((7, 9)) < 0.5
    for row, value in zip(x, e.predict(x), strict=True):
        members = np.flatnonzero(row)
        pairs = sum(e.second[i, j] for i in members for j in members if i < j)
        assert value == pytest.approx(e.baseline + e.first[members].sum() + pairs)
    assert e.predict(np.zeros((1, 9), bool))[0] == e.baseline


def test_main_effects_use_the_fitted_p() -> None:
    e = example()
    np.testing.assert_allclose(e.main_effects(), e.first + 0.3 * e.second.sum(axis=1))


def test_conditional_map_has_the_grid_of_one_token() -> None:
    e = example()
    assert e.conditional(1).shape == (2, 3)
    assert e.conditional(1)[1, 2] == e.second[5, 7]
    for index in (-1, 3):
        with pytest.raises(InvalidParameterError, match="from 0 to 2"):
            e.conditional(index)


def test_strongest_pairs_first_and_labelled() -> None:
    e = example()
    pairs = e.top_interactions(5)
    sizes = [abs(pair.value) for pair in pairs]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == np.abs(e.second).max()
    for pair in e.top_interactions(40, cross_modal=True):
        assert pair.players[0] < 6 <= pair.players[1]
        assert pair.labels[0] == f"r{pair.players[0] // 3}c{pair.players[0] % 3}"
        assert pair.labels[1] == e.tokens[pair.players[1] - 6]
    assert len(e.top_interactions(40, cross_modal=True)) == 18


def test_explanations_are_frozen_through_and_through() -> None:
    e = example()
    with pytest.raises(dataclasses.FrozenInstanceError):
        e.baseline = 0.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        e.second[0, 1] = 0.0
    with pytest.raises(TypeError):
        e.provenance["seed"] = 1  # type: ignore[index]


def test_pairs_are_symmetric_to_the_last_bit() -> None:
    e = example()
    noise = 1e-15 * np.random.default_rng(3).normal(size=(9, 9))
    np.fill_diagonal(noise, 0)
    rounded = dataclasses.replace(e, second=e.second + noise)
    np.testing.assert_array_equal(rounded.second, rounded.second.T)
    np.testing.assert_allclose(rounded.second, e.second, atol=1e-14)
    np.testing.assert_array_equal(dataclasses.replace(e, second=e.second).second, e.second)


@pytest.mark.parametrize("name", ["second", "second_std_error"])
def test_pairs_that_differ_by_their_order_are_refused(name: str) -> None:
    matrix = getattr(example(), name).copy()
    matrix[0, 1] += 0.1
    with pytest.raises(InvalidParameterError, match=f"{name} must be symmetric") as caught:
        dataclasses.replace(example(), **{name: matrix})
    assert caught.value.field == name


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(InvalidParameterError, match=r"second must have shape \(9, 9\)"):
        dataclasses.replace(example(), second=np.zeros((3, 3)))
    with pytest.raises(InvalidParameterError, match=r"\(m, 9\)"):
        example().predict(np.zeros((2, 8), bool))


def test_regions_are_the_image_players() -> None:
    e = with_regions()
    assert (e.n_image, e.n_text, e.n_players) == (3, 2, 5)
    assert e.cross.shape == (3, 2)
    c = e.cross[:, 1]
    np.testing.assert_array_equal(e.conditional(1), [[c[0], c[0], c[1], c[1]], [c[2], c[0], c[2], c[2]]])
    assert {pair.labels[0] for pair in e.top_interactions(6, cross_modal=True)} == {"region 0", "region 1", "region 2"}
    named = dataclasses.replace(e, region_labels=("sky", "sea", "sand"))
    assert {pair.labels[0] for pair in named.top_interactions(6, cross_modal=True)} == {"sky", "sea", "sand"}


@pytest.mark.parametrize("explanation", [attribution(), pair_attribution()], ids=["order 1", "order 2"])
def test_attributions_predict_nothing(explanation: Explanation) -> None:
    assert not explanation.additive
    with pytest.raises(NotAdditiveError, match=explanation.index):
        explanation.predict(np.zeros((1, 9), bool))


def test_main_effects_of_an_attribution_of_pairs_share_them_equally() -> None:
    e = pair_attribution()
    np.testing.assert_allclose(e.main_effects()[:6], 0.5 * e.cross.sum(axis=1))
    np.testing.assert_allclose(e.main_effects()[6:], 0.5 * e.cross.sum(axis=0))
    assert e.main_effects().sum() == pytest.approx(e.cross.sum())
    np.testing.assert_array_equal(attribution().main_effects(), attribution().first)


def test_the_four_indices_of_games_are_additive() -> None:
    for index in ("WFBII", "WBV", "FSII", "SV"):
        assert dataclasses.replace(example(), index=index).additive
