from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.comparison import Comparison, Subject, compare
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import FormatError, InvalidParameterError, NotComparableError
from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_npz_bytes
from fixlip_core.frames import Frame
from tests.fixlip_core.comparison.conftest import Make


def first_order(explanation: Explanation) -> Explanation:
    """The same without pairs, as an attribution."""
    second = np.zeros_like(explanation.second)
    changes: dict[str, Any] = {"second": second, "order": 1, "index": "Grad-ECLIP", "method": "grad_eclip", "p": np.nan}
    return dataclasses.replace(explanation, **changes)


def test_the_same_players_keep_their_values(make: Make) -> None:
    one, other = make(), make(seed=1)
    comparison = compare([one, other])
    np.testing.assert_array_equal(comparison.image, [e.main_effects()[:4] for e in (one, other)])
    np.testing.assert_array_equal(comparison.text, [e.main_effects()[4:] for e in (one, other)])
    assert comparison.pairs[1] is not None
    np.testing.assert_array_equal(comparison.pairs[1], other.cross)
    assert comparison.players == one.players
    assert (len(comparison), comparison.notes) == (2, ())


def test_there_are_three_agreements_of_every_two(make: Make) -> None:
    comparison = compare([make(), make(seed=1), make()])
    places = [(a.explanations, a.part) for a in comparison.agreements]
    assert places == [(both, part) for both in ((0, 1), (0, 2), (1, 2)) for part in ("image", "text", "pairs")]
    same = [a for a in comparison.agreements if a.explanations == (0, 2)]
    assert [a.spearman for a in same] == pytest.approx([1, 1, 1])


def test_pairs_are_resampled_in_all_four_dimensions(make: Make) -> None:
    """A finer grid and the other's tokens in pieces: the cells of the coarse one have the sums of theirs."""
    coarse, fine = make((2, 2), ("a", "red", "circle")), make((4, 4), ("a", "re", "d", "circle"), seed=1)
    comparison = compare([coarse, fine])
    pairs = comparison.pairs[1]
    assert pairs is not None
    cells = fine.cross.reshape(2, 2, 2, 2, 4).sum(axis=(1, 3)).reshape(4, 4)
    expected = np.stack([cells[:, 0], cells[:, 1] + cells[:, 2], cells[:, 3]], axis=1)
    np.testing.assert_allclose(pairs, expected)
    assert pairs.sum() == pytest.approx(fine.cross.sum())
    assert comparison.image[1].sum() == pytest.approx(fine.main_effects()[:16].sum())
    assert comparison.text[1].sum() == pytest.approx(fine.main_effects()[16:].sum())
    assert comparison.players.tokens == ("a", "red", "circle")
    assert len(comparison.notes) == 2


def test_a_method_of_order_1_has_no_pairs_to_compare(make: Make) -> None:
    comparison = compare([make(), first_order(make(seed=1))])
    assert comparison.pairs[1] is None
    (pairs,) = (a for a in comparison.agreements if a.part == "pairs")
    assert (pairs.n, pairs.note) == (0, "an explanation has no values of pairs")
    assert comparison.greatest("pairs", 1) == 0.0
    assert comparison.scaled("pairs", 1) is None
    with pytest.raises(NotComparableError, match="no values of pairs"):
        comparison.difference("pairs", 0, 1)
    assert comparison.notes == ("the values have different units (Grad-ECLIP, logit): compare ranks and scaled values",)


def test_differences_are_of_shares_of_the_greatest(make: Make) -> None:
    explanation = make()
    first, second = np.zeros(7), np.zeros((7, 7))
    first[:4] = 1.0, -4.0, 2.0, 0.0
    one = dataclasses.replace(explanation, first=first, second=second)
    other = dataclasses.replace(explanation, first=-1000 * first, second=second)
    comparison = compare([one, other])
    assert (comparison.greatest("image", 0), comparison.greatest("image", 1)) == (4.0, 4000.0)
    np.testing.assert_allclose(comparison.difference("image", 0, 1), [0.5, -2.0, 1.0, 0.0])
    np.testing.assert_array_equal(comparison.difference("text", 0, 1), np.zeros(3))


class TestCommonPlayers:
    """Which common players have most of the value of an explanation's own."""

    def test_the_same_players_have_themselves(self, make: Make) -> None:
        comparison = compare([make(), make(seed=1)])
        assert comparison.common == (tuple((k,) for k in range(7)),) * 2

    def test_finer_patches_and_parts_of_words_have_what_they_lie_in(self, make: Make) -> None:
        _, fine = compare([make(), make((4, 4), ("a", "re", "d", "circle"), seed=1)]).common
        assert [place for (place,) in fine[:8]] == [0, 0, 1, 1, 0, 0, 1, 1]
        assert fine[16:] == ((4,), (5,), (5,), (6,))

    def test_a_region_has_all_of_its_patches(self, make: Make) -> None:
        regions, _ = compare([make(regions=(0, 0, 0, 1)), make()]).common
        assert regions == ((0, 1, 2), (3,), (4,), (5,), (6,))

    def test_what_not_all_models_saw_has_none(self, make: Make) -> None:
        whole, middle = Frame(0.0, 0.0, 40.0, 20.0), Frame(10.0, 0.0, 30.0, 20.0)
        wide, _ = compare([make((2, 4), frame=whole), make((2, 2), frame=middle)]).common
        assert wide[:4] == ((), (0,), (1,), ())


class TestPairs:
    def test_one_is_no_comparison(self, make: Make) -> None:
        with pytest.raises(NotComparableError, match="two explanations"):
            compare([make()])

    @pytest.mark.parametrize(
        ("known", "message"),
        [
            ({"caption": "a blue circle"}, "different captions: 'a blue circle' and 'a red circle'"),
            ({"image_width": 64}, "different pictures: 32 and 64"),
        ],
    )
    def test_other_pairs_are_refused(self, make: Make, known: dict[str, Any], message: str) -> None:
        with pytest.raises(NotComparableError, match=message) as caught:
            compare([make(known={"image_width": 32}), make(known={"image_width": 32, **known})])
        assert caught.value.code == "not_comparable"

    def test_two_views_of_one_model_are_of_two_pictures(self, make: Make) -> None:
        known = {"model_revision": "sha256:0", "view_sha256": "a"}
        with pytest.raises(NotComparableError, match="one model saw different views"):
            compare([make(known=known), make(known={**known, "view_sha256": "b"})])
        assert compare([make(known=known), make(known={"model_revision": "sha256:1", "view_sha256": "b"})])

    def test_values_must_be_finite(self, make: Make) -> None:
        with pytest.raises(InvalidParameterError, match="finite"):
            compare([make(), make(first=np.full(7, np.nan))])


@pytest.fixture(scope="module")
def real() -> Comparison:
    """FIxLIP twice, with words once, and Grad-ECLIP, on the demo encoder."""
    encoder, scene = fx.load_encoder("demo"), draw_scene(7, n_objects=2)
    ways: list[dict[str, Any]] = [{"seed": 0}, {"seed": 1}, {"seed": 2, "text_players": "word"}]
    fixlip = [fx.explain(encoder, scene.image, scene.caption, budget=64, text_passes=32, **way) for way in ways]
    return compare([*fixlip, fx.explain(encoder, scene.image, scene.caption, method="grad_eclip")])


class TestRealExplanations:
    def test_what_was_seen_is_known(self, real: Comparison) -> None:
        assert real.frame is not None
        assert (real.frame.width, real.frame.height) == (128, 128)

    def test_another_seed_agrees_more_than_another_method(self, real: Comparison) -> None:
        found = {(a.explanations, a.part): a for a in real.agreements}
        assert found[(0, 1), "image"].cosine > 0.6 > found[(0, 3), "image"].cosine
        assert found[(0, 1), "pairs"].cosine > 0.5


class TestSubjects:
    def test_files_are_read(self, make: Make) -> None:
        import io

        from PIL import Image

        view = draw_scene(7).image
        file = io.BytesIO()
        Image.fromarray(view).save(file, "PNG")
        subject = Subject(to_npz_bytes(make()), file.getvalue())
        np.testing.assert_array_equal(subject.explanation.second, make().second)
        np.testing.assert_array_equal(subject.view, view)

    def test_damaged_files_are_refused(self) -> None:
        with pytest.raises(FormatError):
            _ = Subject(b"npz", b"png").explanation
        with pytest.raises(fx.InputError):
            _ = Subject(b"npz", b"png").view
