from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fixlip_core
from fixlip_core.batching import Batcher
from fixlip_core.defaults import MAX_IMAGE_BYTES
from fixlip_core.errors import CanceledError
from fixlip_core.methods import Progress
from fixlip_core.rendering import render_maps
from service.jobs.records import Job, JobInput, JobModel, JobResult
from tests.support.explanations import attribution, pair_attribution
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.jobs import PARAMS, png
from worker.explaining import Findings, Outcome, explain_pair, outcome_of, stored_picture


def a_job() -> Job:
    return Job(
        model=JobModel(id=CARD.id, revision=CARD.revision),
        method="fixlip",
        params=PARAMS,
        input=JobInput(image_sha256="0" * 64, caption="a red circle"),
    )


def answer(params: dict[str, Any], *, image: bytes | None = None, progress: Progress = lambda *_: None) -> Outcome:
    with Batcher() as batcher:
        explanation, view = explain_pair(
            FakeEncoder(),
            batcher,
            a_job(),
            stored_picture(image or png()),
            params,
            check=lambda: None,
            report=progress,
        )
    return outcome_of(a_job(), Findings(explanation, view), render_maps(explanation, view))


def test_progress_counts_the_passes_of_the_outcome() -> None:
    told: list[tuple[int, int]] = []
    outcome = answer(PARAMS, progress=lambda *counts: told.append(counts))
    assert told[-1] == (outcome.forward_passes, outcome.forward_passes)
    assert outcome.forward_passes == outcome.output.image_passes + outcome.output.text_passes


def test_the_brief_of_an_attribution_has_no_model_of_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    explanation = replace(attribution(), grid=(2, 3))
    monkeypatch.setattr(fixlip_core, "explain", lambda *_, **__: explanation)
    outcome = answer({})
    assert (outcome.output.index, outcome.output.order) == ("Grad-ECLIP", 1)
    assert (outcome.output.baseline, outcome.output.estimated_r2) == (None, None)
    assert [info.name for info in outcome.output.maps] == ["first-order"]
    assert outcome.output.top_interactions == ()
    assert len(outcome.output.top_players) == 9
    first = outcome.output.top_players[0]
    assert (first.value, first.std_error) == (explanation.first[first.player], None)
    assert abs(first.value) == np.abs(explanation.first).max()
    assert first.label == explanation.players.label(first.player)
    result = JobResult.model_validate_json(outcome.files["result.json"])
    assert result.baseline is None


def test_the_brief_of_attributed_pairs_has_those_of_image_and_text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    explanation = pair_attribution()
    monkeypatch.setattr(fixlip_core, "explain", lambda *_, **__: explanation)
    output = answer({}).output
    assert len(output.top_interactions) == 18
    assert all(pair.players[0] < 6 <= pair.players[1] for pair in output.top_interactions)


def test_the_brief_has_main_effects_with_errors_at_order_1_alone() -> None:
    one, two = (answer({"order": order, "budget": 64}).output for order in (1, 2))
    assert one.index == "WBV"
    assert all(player.std_error is not None for player in one.top_players)
    assert two.index == "WFBII"
    assert all(player.std_error is None for player in two.top_players)


def test_what_progress_raises_stops_the_work() -> None:
    def stop(completed: int, total: int) -> None:
        raise CanceledError("enough")

    with pytest.raises(CanceledError, match="enough"):
        answer(PARAMS, progress=stop)


def test_stored_image_may_be_larger_than_a_submitted_one() -> None:
    side = int((MAX_IMAGE_BYTES / 3) ** 0.5) + 50
    noise = np.random.default_rng(0).integers(0, 256, size=(side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format="PNG", compress_level=0)
    assert len(buffer.getvalue()) > MAX_IMAGE_BYTES
    assert answer(PARAMS, image=buffer.getvalue()).output.grid == (4, 4)


def test_every_map_is_there_as_png_and_as_svg() -> None:
    outcome = answer({})
    for info in outcome.output.maps:
        assert outcome.files[f"maps/{info.name}.png"].startswith(b"\x89PNG")
        assert outcome.files[f"maps/{info.name}.svg"].startswith(b"<svg")
