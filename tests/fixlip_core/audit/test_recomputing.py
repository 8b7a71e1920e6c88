from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fixlip_core as fx
from fixlip_core.audit.checks import Verdict, Verification
from fixlip_core.audit.comparing import differences_between, distance, has_steady_bits
from fixlip_core.audit.digests import values_sha256
from fixlip_core.audit.environment import environment_of
from fixlip_core.audit.recomputing import recompute
from fixlip_core.audit.record import AuditRecord, AuditScore
from fixlip_core.audit.sealing import seal
from fixlip_core.audit.verifying import verify_record
from fixlip_core.evaluation import evaluate
from fixlip_core.explanation import Explanation
from tests.support.audit import CAPTION, PARAMS, content_of, png_of_scene
from tests.support.explanations import attribution, example
from tests.support.fake_encoder import CARD

PNG = png_of_scene()
IMAGE = Image.open(io.BytesIO(PNG))


@pytest.fixture(scope="module", autouse=True)
def two_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def explanation(demo: fx.DualEncoder) -> Explanation:
    return fx.explain(demo, IMAGE, CAPTION, **PARAMS)


@pytest.fixture(scope="module")
def record(demo: fx.DualEncoder, explanation: Explanation) -> AuditRecord:
    record, _ = verify_record(seal(content_of(demo.card, explanation, image=PNG)))
    assert record is not None
    return record


def with_members(record: AuditRecord, part: str, **members: Any) -> AuditRecord:
    """The record of somebody who says otherwise."""
    return record.model_copy(update={part: getattr(record, part).model_copy(update=members)})


def check_of(found: Verification, name: str) -> tuple[Verdict, str]:
    (check,) = (check for check in found.checks if check.name == name)
    return check.verdict, check.detail


def test_the_same_computation_gives_the_same_bits(demo: fx.DualEncoder, record: AuditRecord) -> None:
    told: list[tuple[int, int]] = []
    found = recompute(record, demo, IMAGE, progress=lambda *counts: told.append(counts))
    assert found.verdict is Verdict.AGREES
    assert found.differences == ()
    assert check_of(found, "values") == (Verdict.AGREES, "they are the same to the last bit")
    assert told[-1] == (record.passes.image + record.passes.text,) * 2


def test_one_thread_gives_what_two_gave(demo: fx.DualEncoder, record: AuditRecord) -> None:
    torch.set_num_threads(1)
    try:
        found = recompute(record, demo, IMAGE)
    finally:
        torch.set_num_threads(2)
    assert check_of(found, "values") == (Verdict.AGREES, "they are the same to the last bit")
    assert [(one.what, one.recorded, one.here) for one in found.differences] == [("threads", "2", "1")]


@pytest.mark.parametrize(
    "params", [{"seed": 4}, {"budget": 33}, {"score": "cosine"}, {"p": 0.4}, {"order": 1}, {"image_removal": "mean"}]
)
def test_other_parameters_give_other_values(
    demo: fx.DualEncoder, record: AuditRecord, explanation: Explanation, params: Mapping[str, Any]
) -> None:
    forged = with_members(record, "method", params={**PARAMS, **params})
    found = recompute(forged, demo, IMAGE, recorded=explanation)
    assert check_of(found, "values")[0] is Verdict.DISAGREES


def test_another_caption_gives_other_values(demo: fx.DualEncoder, record: AuditRecord) -> None:
    found = recompute(with_members(record, "input", caption="a circle"), demo, IMAGE)
    verdict, detail = check_of(found, "values")
    assert verdict is Verdict.DISAGREES
    assert detail.endswith(", and is ('a', 'circle')")


@pytest.mark.parametrize(
    "change", [{"full_value": 100.0}, {"estimated_r2": None}, {"baseline": 0.0}, {"index": "SV"}, {"n_image": 1}]
)
def test_what_is_said_of_the_values_must_hold(
    demo: fx.DualEncoder, record: AuditRecord, change: Mapping[str, Any]
) -> None:
    (name,) = change
    verdict, detail = check_of(recompute(with_members(record, "values", **change), demo, IMAGE), "values")
    assert verdict is Verdict.DISAGREES
    assert detail.startswith(f"{name} was {change[name]}, and is ")


def test_another_kind_of_device_draws_other_noise(demo: fx.DualEncoder, record: AuditRecord) -> None:
    moved = with_members(record, "environment", device="cuda:0")
    noisy = with_members(moved, "method", name="m2ib", params={"steps": 1, "copies": 1})
    verdict, detail = check_of(recompute(noisy, demo, IMAGE), "values")
    assert verdict is Verdict.UNKNOWN
    assert "draws its noise on the device" in detail


def test_other_weights_are_told_before_anything_is_computed(demo: fx.DualEncoder, record: AuditRecord) -> None:
    found = recompute(with_members(record, "model", weights_sha256="0" * 64), demo, IMAGE)
    assert [check.name for check in found.checks] == ["model"]
    assert check_of(found, "model")[0] is Verdict.DISAGREES


@pytest.fixture(scope="module")
def near(explanation: Explanation) -> Explanation:
    """What another machine might have found."""
    return replace(explanation, first=explanation.first * (1 + 1e-6))


@pytest.fixture(scope="module")
def elsewhere(record: AuditRecord, near: Explanation) -> AuditRecord:
    """A record of that."""
    there = {**record.environment.libraries, "torch": "0.1"}
    moved = with_members(record, "environment", libraries=there)
    return with_members(moved, "values", sha256=values_sha256(near))


class TestElsewhere:
    def test_what_is_near_agrees(self, demo: fx.DualEncoder, elsewhere: AuditRecord, near: Explanation) -> None:
        found = recompute(elsewhere, demo, IMAGE, recorded=near)
        verdict, detail = check_of(found, "values")
        assert verdict is Verdict.AGREES
        assert "fp32 allows 0.0001" in detail
        assert [(one.what, one.recorded) for one in found.differences] == [("libraries.torch", "0.1")]

    def test_what_is_not_near_disagrees(
        self, demo: fx.DualEncoder, elsewhere: AuditRecord, explanation: Explanation
    ) -> None:
        found = recompute(elsewhere, demo, IMAGE, recorded=replace(explanation, second=explanation.second * 1.01))
        assert check_of(found, "values")[0] is Verdict.DISAGREES

    def test_without_the_values_nothing_is_known(self, demo: fx.DualEncoder, elsewhere: AuditRecord) -> None:
        found = recompute(elsewhere, demo, IMAGE)
        verdict, detail = check_of(found, "values")
        assert verdict is found.verdict is Verdict.UNKNOWN
        assert "give the result" in detail

    def test_where_everything_is_as_it_was_near_is_not_enough(
        self, demo: fx.DualEncoder, record: AuditRecord, near: Explanation
    ) -> None:
        forged = with_members(record, "values", sha256=values_sha256(near))
        for recorded in (near, None):
            assert check_of(recompute(forged, demo, IMAGE, recorded=recorded), "values")[0] is Verdict.DISAGREES


@pytest.fixture(scope="module")
def judged(demo: fx.DualEncoder, record: AuditRecord, explanation: Explanation) -> AuditRecord:
    evaluation = evaluate(demo, IMAGE, CAPTION, explanation, ["confidence"], seed=3)
    scores = tuple(
        AuditScore(
            metric=score.metric,
            name=score.name,
            value=score.value,
            ci_low=None,
            ci_high=None,
            higher_is_better=score.higher_is_better,
            note=score.note,
        )
        for score in evaluation.scores
    )
    asked = with_members(record, "method", evaluate=("confidence",))
    return asked.model_copy(update={"scores": scores})


class TestScores:
    def test_they_are_computed_again(self, demo: fx.DualEncoder, judged: AuditRecord) -> None:
        verdict, detail = check_of(recompute(judged, demo, IMAGE), "scores")
        assert (verdict, detail) == (Verdict.AGREES, "all 4 are the same to the last bit")

    def test_elsewhere_they_need_only_be_near(self, demo: fx.DualEncoder, judged: AuditRecord) -> None:
        first, *others = judged.scores
        near = judged.model_copy(
            update={"scores": (first.model_copy(update={"value": (first.value or 0) + 0.005}), *others)}
        )
        assert check_of(recompute(near, demo, IMAGE), "scores")[0] is Verdict.DISAGREES
        elsewhere = with_members(near, "environment", python="3.0")
        verdict, detail = check_of(recompute(elsewhere, demo, IMAGE), "scores")
        assert (verdict, detail) == (Verdict.AGREES, "all 4 are the same within 0.01")

    def test_another_score_is_told(self, demo: fx.DualEncoder, judged: AuditRecord) -> None:
        first, *others = judged.scores
        for value in (None, (first.value or 0) + 1):
            forged = judged.model_copy(update={"scores": (first.model_copy(update={"value": value}), *others)})
            verdict, detail = check_of(recompute(forged, demo, IMAGE), "scores")
            assert verdict is Verdict.DISAGREES
            assert "confidence.image_drop was" in detail

    def test_a_score_that_was_left_out_or_made_up_is_told(self, demo: fx.DualEncoder, judged: AuditRecord) -> None:
        left_out = judged.model_copy(update={"scores": judged.scores[1:]})
        assert "is not in the record" in check_of(recompute(left_out, demo, IMAGE), "scores")[1]
        made_up = (*judged.scores, judged.scores[0].model_copy(update={"name": "beauty"}))
        found = recompute(judged.model_copy(update={"scores": made_up}), demo, IMAGE)
        assert "confidence.beauty was" in check_of(found, "scores")[1]


class TestDistance:
    def test_is_a_share_of_the_largest_value(self) -> None:
        explanation = example()
        first = explanation.first.copy()
        first[2] += 0.5
        largest = max(np.abs(explanation.first).max(), np.abs(explanation.second).max(), abs(explanation.baseline))
        assert distance(explanation, replace(explanation, first=first)) == pytest.approx(0.5 / largest)
        assert distance(explanation, explanation) == 0

    def test_of_attributions_each_side_has_its_own_scale(self) -> None:
        explanation = attribution()
        first = explanation.first.copy()
        first[:6] *= 1000
        large = replace(explanation, first=first)
        first = first.copy()
        first[8] *= 2
        expected = abs(explanation.first[8]) / np.abs(explanation.first[6:]).max()
        assert distance(large, replace(large, first=first)) == pytest.approx(expected)

    def test_from_nothing_everything_is_far(self) -> None:
        explanation = replace(attribution(), first=np.zeros(9))
        assert distance(explanation, attribution()) == np.inf
        assert distance(explanation, explanation) == 0


class TestEnvironment:
    def test_says_what_runs_here(self) -> None:
        here = environment_of(CARD, packages=("fixlip_core", "worker"))
        assert here.sources.keys() == {"fixlip_core", "worker"}
        assert here.libraries["torch"] == metadata.version("torch")
        assert (here.device, here.precision, here.threads) == ("cpu", "fp32", 2)
        assert torch.backends.cpu.get_cpu_capability() in here.device_name

    def test_what_differs_is_named(self) -> None:
        here = environment_of(CARD)
        there = here.model_copy(update={"python": "3.0", "libraries": {**here.libraries, "numpy": None, "old": "1"}})
        found = {(one.what, one.recorded, one.here) for one in differences_between(there, here)}
        assert found == {
            ("python", "3.0", here.python),
            ("libraries.numpy", None, here.libraries["numpy"]),
            ("libraries.old", "1", None),
        }

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [({}, True), ({"threads": 3}, False), ({"precision": "bf16"}, False), ({"device": "cuda:0"}, False)],
    )
    def test_bits_are_steady_where_the_batcher_keeps_them(self, changes: dict[str, Any], expected: bool) -> None:
        assert has_steady_bits(environment_of(CARD).model_copy(update=changes)) is expected
