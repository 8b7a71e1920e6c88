"""One value for each player."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.evaluation.saliency import saliency_of, to_unit_range
from fixlip_core.explanation import Explanation
from tests.support.explanations import attribution, example, pair_attribution


@pytest.mark.parametrize("explanation", [example(), example(order=1), attribution(), pair_attribution()])
def test_every_explanation_has_a_saliency(explanation: Explanation) -> None:
    image, text = saliency_of(explanation)
    assert (len(image), len(text)) == (explanation.n_image, explanation.n_text)
    np.testing.assert_array_equal(np.concatenate([image, text]), explanation.main_effects())


def test_unit_range() -> None:
    scaled = to_unit_range(np.array([-2.0, 0.0, 2.0]))
    assert scaled is not None
    assert scaled.tolist() == [0.0, 0.5, 1.0]
    assert to_unit_range(np.full(3, 7.0)) is None
    assert to_unit_range(np.array([1.0, np.nan])) is None
    assert to_unit_range(np.empty(0)) is None
