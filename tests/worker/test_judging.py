"""Jobs whose explanations are judged, by a worker's own code."""

from __future__ import annotations

import io
import json
import sys

import pytest
from PIL import Image

from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.evaluation import InsertionDeletion
from fixlip_core.evaluation.metrics import EVALUATION_METRICS
from fixlip_core.formats import from_npz_bytes
from fixlip_core.methods import METHODS
from service.jobs.evaluations import JobEvaluation
from service.jobs.inputs import IMAGE
from service.jobs.records import Job, JobInput, JobModel, JobResult, JobScore, JobStatus
from tests.support.fake_encoder import FakeEncoder
from tests.support.jobs import PARAMS
from tests.support.running import Serve, files_of, run
from worker.execution import Execution, Verdict
from worker.runtime import Runtime

SMALL = {**PARAMS, "estimator": "gp", "budget": 32}


@pytest.fixture(scope="module")
def demo() -> DualEncoder:
    from fixlip_core import load_encoder

    return load_encoder("demo")


def scores_of(job: Job) -> dict[tuple[str, str], JobScore]:
    assert job.output is not None, job.error
    return {(score.metric, score.name): score for score in job.output.evaluation}


def of_demo(demo: DualEncoder, **changes: object) -> dict[str, object]:
    """Fields of a job of the demo model, of a scene that its caption describes."""
    scene, picture = draw_scene(11, n_objects=2), io.BytesIO()
    Image.fromarray(scene.image).save(picture, format="PNG")
    return {
        "model": JobModel(id=demo.card.id, revision=demo.card.revision),
        "input": JobInput(image_sha256="0" * 64, caption=scene.caption),
        "files": {IMAGE: picture.getvalue()},
        **changes,
    }


def test_scores_are_in_the_record_in_the_order_that_was_asked_for(runtime: Runtime) -> None:
    job = run(runtime, params=SMALL, evaluate=("aid", "faithfulness"))
    assert list(scores_of(job)) == [
        ("aid", "first_order"),
        ("aid", "second_order"),
        ("faithfulness", "r2"),
        ("faithfulness", "pearson"),
        ("faithfulness", "spearman"),
    ]
    r2 = scores_of(job)["faithfulness", "r2"]
    assert r2.value is not None
    assert r2.ci_low is not None
    assert r2.ci_high is not None
    assert r2.ci_low < r2.value < r2.ci_high <= 1
    assert r2.higher_is_better


def test_a_job_that_asks_for_nothing_is_as_before(runtime: Runtime) -> None:
    job = run(runtime, params=SMALL)
    assert job.output is not None
    assert (job.output.evaluation, job.metrics.evaluation_passes) == ((), None)
    assert "evaluation.json" not in files_of(runtime, job)


def test_passes_are_counted_apart(runtime: Runtime) -> None:
    plain, judged = (run(runtime, params=SMALL, evaluate=evaluate) for evaluate in ((), ("faithfulness",)))
    assert plain.metrics.forward_passes == judged.metrics.forward_passes
    assert judged.output is not None
    assert judged.metrics.forward_passes == judged.output.image_passes + judged.output.text_passes
    assert judged.metrics.evaluation_passes is not None
    assert judged.metrics.evaluation_passes > 256
    total = (judged.metrics.forward_passes or 0) + judged.metrics.evaluation_passes
    assert (judged.progress.completed, judged.progress.total) == (total, total)


def test_values_do_not_depend_on_the_evaluation(runtime: Runtime) -> None:
    plain, judged = (
        files_of(runtime, run(runtime, params=SMALL, evaluate=evaluate)) for evaluate in ((), ("confidence",))
    )
    assert plain["interactions.npz"] == judged["interactions.npz"]


def test_the_document_has_the_curves_and_the_subsets(runtime: Runtime) -> None:
    job = run(runtime, params=SMALL, evaluate=("aid",))
    files = files_of(runtime, job)
    document = JobEvaluation.model_validate_json(files["evaluation.json"])
    assert job.output is not None
    assert document.scores == job.output.evaluation == JobResult.model_validate_json(files["result.json"]).evaluation
    assert (document.evaluate, document.seed) == (("aid",), PARAMS["seed"])
    assert document.image_passes + document.text_passes == job.metrics.evaluation_passes
    curves = document.insertion_deletion
    assert curves is not None
    assert curves.second_order is not None
    assert curves.subsets is not None
    assert len(curves.removed) == len(curves.first_order.most_first) == len(curves.second_order.least_first) == 51
    areas = {score.name: score.value for score in document.scores}
    drawn = {"first_order": curves.first_order.area, "second_order": curves.second_order.area}
    # Of a pair whose score falls with its players, the scores say why they are none.
    assert areas == (dict.fromkeys(drawn) if curves.flipped else drawn)
    n = from_npz_bytes(files["interactions.npz"]).n_players
    assert [len(players) for players in curves.subsets.greatest] == list(range(n + 1))
    assert curves.subsets.least[n] == curves.subsets.greatest[n] == tuple(range(n))


def test_the_curves_are_drawn(runtime: Runtime) -> None:
    job = run(runtime, params=SMALL, evaluate=("aid",))
    assert job.output is not None
    assert job.output.maps[-1].name == "insertion-deletion"
    files = files_of(runtime, job)
    assert files["maps/insertion-deletion.png"].startswith(b"\x89PNG")
    assert b"second order: area " in files["maps/insertion-deletion.svg"]


def test_what_a_method_has_no_values_for_is_null_with_a_note(serve: Serve, demo: DualEncoder) -> None:
    metrics = ("faithfulness", "aid")
    job = run(serve(demo), **of_demo(demo, method="grad_eclip", params={}, evaluate=metrics))
    scores = scores_of(job)
    for of in (("faithfulness", "r2"), ("aid", "second_order")):
        assert (scores[of].value, scores[of].ci_low) == (None, None)
        assert scores[of].note
    assert scores["aid", "first_order"].value is not None
    document = json.loads(files_of(serve(demo), job)["evaluation.json"], parse_constant=pytest.fail)
    assert document["insertion_deletion"]["second_order"] is None


def test_a_model_whose_weights_cannot_be_drawn_anew_gets_a_note(runtime: Runtime) -> None:
    job = run(runtime, params=SMALL, evaluate=("sanity",))
    assert job.status is JobStatus.SUCCEEDED
    (score,) = scores_of(job).values()
    assert score.value is None
    assert score.note


@pytest.mark.parametrize("method", ["fixlip", "grad_eclip"])
def test_every_metric_of_a_real_model(serve: Serve, demo: DualEncoder, method: str) -> None:
    params = {"budget": 32} if method == "fixlip" else {}
    job = run(serve(demo), **of_demo(demo, method=method, params=params, evaluate=tuple(EVALUATION_METRICS)))
    found = {name: score.value for name, score in scores_of(job).items()}
    assert found["confidence", "image_drop"] is not None
    assert found["sanity", "rank_correlation"] is not None
    assert {metric for metric, _ in found} == EVALUATION_METRICS.keys()


def test_progress_goes_on_over_both(serve: Serve, demo: DualEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    report = Execution.report

    def note(self: Execution, completed: int, total: int) -> None:
        told.append((completed, total))
        report(self, completed, total)

    monkeypatch.setattr(Execution, "report", note)
    job = run(serve(demo), **of_demo(demo, method="grad_eclip", params={}, evaluate=("aid",)))
    made = job.metrics.forward_passes
    assert made is not None
    assert max(completed for completed, _ in told) > made
    shares = [completed / total for completed, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert [share for share, (completed, _) in zip(shares, told, strict=True) if completed <= made][-1] < 1
    cost = METHODS["grad_eclip"].cost(METHODS["grad_eclip"].parameters(), 64, 7)
    assert told[0][1] > cost.image_passes + (cost.text_passes or 0)


@pytest.mark.parametrize("verdict", [Verdict.CANCELED, Verdict.OVERDUE])
def test_a_verdict_ends_the_evaluation(serve: Serve, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(*_: object, **__: object) -> None:
        for execution in runtime.executions.all():
            execution.decide(verdict)

    runtime = serve(FakeEncoder())
    # The curves come after the explanation: no job is stopped before.
    monkeypatch.setattr(sys.modules[InsertionDeletion.__module__], "extreme_subsets", decide)
    job = run(runtime, params=SMALL, evaluate=("aid",))
    assert job.status is (JobStatus.CANCELED if verdict is Verdict.CANCELED else JobStatus.FAILED)
    assert runtime.repository.row(job.id).books.results is None


def test_an_unknown_metric_of_a_newer_api_fails_the_job_by_name(runtime: Runtime) -> None:
    job = run(runtime, params=SMALL, evaluate=("beauty",))
    assert job.error is not None
    assert job.error.code == "unknown_metric"
