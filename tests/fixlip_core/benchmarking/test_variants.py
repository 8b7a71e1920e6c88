from __future__ import annotations

import pytest

from fixlip_core.benchmarking import DEFAULT_VARIANTS, parse_variants
from fixlip_core.benchmarking.variants import reference_of
from fixlip_core.errors import InvalidParameterError, UnknownMethodError
from fixlip_core.methods import METHODS


def test_every_method_is_there_by_default() -> None:
    variants = parse_variants(DEFAULT_VARIANTS)
    assert {variant.method for variant in variants} == set(METHODS)
    assert reference_of(variants) == variants[0]
    assert [variant.label for variant in variants if variant.order == 2] == [
        "fixlip",
        "fixlip:index=shapley",
        "exclip",
    ]


def test_parameters_are_json_or_text() -> None:
    (variant,) = parse_variants([" fixlip:p=0.7+order=1+score=cosine+text_removal=null "])
    assert variant.label == "fixlip:p=0.7+order=1+score=cosine+text_removal=null"
    assert variant.given == {"p": 0.7, "order": 1, "score": "cosine", "text_removal": None}
    assert variant.order == 1


def test_common_parameters_go_where_they_are_known_and_not_given() -> None:
    fixlip, other, attribution = parse_variants(["fixlip", "fixlip:budget=9", "game"])
    assert fixlip.parameters(budget=77, seed=3).model_dump()["budget"] == 77
    assert other.parameters(budget=77, seed=3).model_dump()["budget"] == 9
    assert "seed" not in attribution.parameters(budget=77, seed=3).model_dump()


def test_all_explain_the_same_score() -> None:
    assert {variant.parameters().model_dump().get("score", "cosine") for variant in parse_variants(list(METHODS))} == {
        "cosine"
    }
    assert parse_variants(["game:score=logit"])[0].parameters().model_dump()["score"] == "logit"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["fixlip:p"], "NAME=VALUE"),
        (["fixlip:p=2"], "p: "),
        (["fixlip:colour=1"], "colour is no parameter"),
        (["game", "game"], "asked for twice"),
    ],
)
def test_what_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        parse_variants(texts)


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(UnknownMethodError, match="lime"):
        parse_variants(["lime"])


def test_without_fixlip_there_is_no_reference() -> None:
    assert reference_of(parse_variants(["game", "fixlip:order=1"])) is None
