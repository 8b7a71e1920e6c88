from __future__ import annotations

import io
import json
import logging
import shutil
import weakref
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fixlip_core.errors import DeviceMemoryError
from fixlip_core.formats import from_json_bytes, from_npz_bytes, to_npz_bytes
from fixlip_core.rendering import render_maps
from fixlip_core.rendering.pool import RenderPool
from service.jobs.batches.feeding import Feeder
from service.jobs.batches.records import batch_job_id
from service.jobs.batches.repository import BatchRepository
from service.jobs.inputs import input_files
from service.jobs.leases import Lease
from service.jobs.queue import job_of
from service.jobs.records import JobInput, JobModel, JobResult, JobStatus
from service.jobs.repository import JobRepository
from service.jobs.storage.bundle import Bundle
from tests.support.batches import batch_items
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.jobs import PARAMS, png, submit
from tests.support.running import SLOT, Serve, files_of, raising, run
from worker.auditing import AUDIT
from worker.execution import Verdict
from worker.models import ModelPool
from worker.runtime import Runtime
from worker.tasks import run_explanation, run_job
from worker.watch import Watch

BATCH = "0" * 32


def test_a_job_ends_with_its_record_and_all_its_files(runtime: Runtime) -> None:
    job = run(runtime)
    assert job.status is JobStatus.SUCCEEDED
    assert job.error is None
    assert job.output is not None
    assert job.output.tokens == ("a", "red", "circle")
    assert job.output.grid == (4, 4)
    assert [info.name for info in job.output.maps] == ["first-order", "graph", "token-0", "token-1", "token-2"]
    assert job.progress.completed == job.progress.total > 64
    assert job.metrics.forward_passes == job.output.image_passes + job.output.text_passes
    assert job.metrics.run_s is not None
    assert job.metrics.queue_s is not None
    assert job.started_at is not None
    assert job.completed_at is not None
    files = files_of(runtime, job)
    for info in job.output.maps:
        assert files[f"maps/{info.name}.png"].startswith(b"\x89PNG")
    assert files["view.png"].startswith(b"\x89PNG")


def test_files_agree_with_each_other_and_with_the_record(runtime: Runtime) -> None:
    job = run(runtime)
    files = files_of(runtime, job)
    exact = from_npz_bytes(files["interactions.npz"])
    from_json = from_json_bytes(files["interactions.json"])
    assert to_npz_bytes(from_json) == files["interactions.npz"]
    result = JobResult.model_validate_json(files["result.json"])
    assert job.output is not None
    assert {name: getattr(result, name) for name in type(job.output).model_fields} == dict(job.output)
    assert (result.model, result.method, result.params, result.input) == (
        job.model,
        job.method,
        job.params,
        job.input,
    )
    assert result.provenance == dict(exact.provenance)
    assert result.full_value == exact.full_value
    strongest = result.top_interactions[0]
    assert abs(strongest.value) == abs(exact.second).max()
    assert strongest.labels == tuple(exact.players.label(player) for player in strongest.players)


def test_same_job_gives_the_same_bytes_but_for_its_record(runtime: Runtime, tmp_path: Path) -> None:
    first, second = (files_of(runtime, run(runtime)) for _ in range(2))
    assert {name for name in first if first[name] != second.get(name)} == {AUDIT}
    assert first.keys() == second.keys()
    # The results of each, and the picture, which is stored once.
    assert len([path for path in (tmp_path / "bundles").rglob("*") if path.is_file()]) == 3


def test_parameters_reach_the_method(runtime: Runtime) -> None:
    job = run(runtime, params={**PARAMS, "order": 1, "p": 0.3, "seed": 7})
    explanation = from_npz_bytes(files_of(runtime, job)["interactions.npz"])
    assert (explanation.order, explanation.p, explanation.provenance["seed"]) == (1, 0.3, 7)
    assert job.output is not None
    assert job.output.top_interactions == ()


def test_parameters_are_those_of_the_stored_request(runtime: Runtime) -> None:
    recorded, params = ({**PARAMS, "regions": regions} for regions in ("sha256:0", [[0, 0, 1, 2]]))
    files = input_files(png(), params, recorded=recorded)
    job = submit(runtime.repository, runtime.bundles, files=files, params=recorded)
    run_job(runtime, job.id, worker_id=SLOT)
    done = runtime.repository.get(job.id)
    assert done.output is not None, done.error
    assert done.output.regions == (0, 0, 1, 2) * 4
    assert done.output.region_labels == ("region 0", "region 1", "region 2")
    assert done.params["regions"] == "sha256:0"


def test_a_method_that_the_model_cannot_run_fails_the_job_by_name(runtime: Runtime) -> None:
    job = run(runtime, method="grad_eclip", params={})
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == "unsupported_model"
    assert "fake" in job.error.detail


def test_the_model_may_leave_while_the_maps_are_drawn(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mortal(FakeEncoder):
        """One that can be watched."""

    watched: list[weakref.ref[Mortal]] = []
    left: list[list[str]] = []
    draw = RenderPool.render

    def load(name: str) -> Mortal:
        encoder = Mortal(card=replace(CARD, id=name), weights_bytes=100)
        watched.append(weakref.ref(encoder))
        return encoder

    def render(self: RenderPool, *arguments: Any, **options: Any) -> Any:
        with models.use(JobModel(id="other", revision=CARD.revision), lambda: None):
            left.append([kept.card.id for ref in watched if (kept := ref()) is not None])
        return draw(self, *arguments, **options)

    names = ("fake", "other")
    models = ModelPool(
        {name: partial(load, name) for name in names}, budget_bytes=100, on_unload=runtime.batcher.forget
    )
    models.load_all()
    monkeypatch.setattr(RenderPool, "render", render)
    assert run(replace(runtime, models=models)).status is JobStatus.SUCCEEDED
    assert left == [["other"]]


def test_files_are_there_before_the_status(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    succeed = JobRepository.succeed

    def watch(self: JobRepository, lease: Lease, *arguments: Any, results: Bundle) -> bool:
        seen.append("result.json" in runtime.bundles.read(results))
        return succeed(self, lease, *arguments, results=results)

    monkeypatch.setattr(JobRepository, "succeed", watch)
    assert run(runtime).status is JobStatus.SUCCEEDED
    assert seen == [True]


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"input": JobInput(image_sha256="0" * 64, caption=" ")}, "caption_empty", "no words"),
        ({"model": JobModel(id="gone", revision=CARD.revision)}, "unknown_model", "served models: fake"),
        ({"model": JobModel(id="fake", revision="sha256:old")}, "model_changed", "submit it again"),
        ({"method": "magic"}, "unknown_method", "known methods: "),
        ({"params": {**PARAMS, "p": 2}}, "invalid_parameter", "p: "),
    ],
)
def test_faults_of_the_input_keep_their_code(runtime: Runtime, changes: dict[str, Any], code: str, detail: str) -> None:
    job = run(runtime, **changes)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == code
    assert detail in job.error.detail
    assert job.completed_at is not None
    assert job.metrics.run_s is not None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DeviceMemoryError("a single row does not fit"), "out_of_memory"),
        (RuntimeError("secret path /srv/models"), "internal_error"),
    ],
)
def test_final_faults_of_the_worker_become_codes(
    serve: Serve, error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="worker.tasks")
    runtime = serve(FakeEncoder(on_batch=raising(error)))
    job = run(runtime)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == code
    assert "secret" not in job.error.detail
    assert "Traceback" not in job.error.detail
    logged = [record for record in caplog.records if record.exc_info]
    assert (logged[0].levelno == logging.ERROR) is (code == "internal_error")
    assert runtime.repository.row(job.id).books.results is None


def test_missing_inputs_fail_the_job(runtime: Runtime, tmp_path: Path) -> None:
    job = submit(runtime.repository, runtime.bundles)
    shutil.rmtree(tmp_path / "bundles")
    run_job(runtime, job.id, worker_id=SLOT)
    failed = runtime.repository.get(job.id)
    assert failed.error is not None
    assert failed.error.code == "artifact_not_found"


def decide(runtime: Runtime, verdict: Verdict) -> None:
    for execution in runtime.executions.all():
        execution.decide(verdict)


def test_a_verdict_ends_the_work_and_is_written(serve: Serve) -> None:
    runtime = serve(FakeEncoder(on_batch=lambda: decide(runtime, Verdict.OVERDUE)), job_timeout_s=7)
    job = run(runtime)
    assert job.error is not None
    assert job.error.code == "deadline_exceeded"
    assert "stopped after 7 s with " in job.error.detail
    assert runtime.executions.all() == []


def test_what_is_handed_back_waits_again(serve: Serve) -> None:
    runtime = serve(FakeEncoder(on_batch=lambda: decide(runtime, Verdict.HANDED_BACK)))
    job = run(runtime)
    assert job.status is JobStatus.QUEUED
    assert job.started_at is None
    assert runtime.queue.depth() == 1


def test_within_the_grace_the_job_is_finished(runtime: Runtime) -> None:
    runtime.stop.request()
    assert run(runtime).status is JobStatus.SUCCEEDED


def test_a_final_job_is_left_alone(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.bundles)
    runtime.repository.request_cancel(job.id, queue=runtime.queue)
    run_job(runtime, job.id, worker_id=SLOT)
    assert runtime.repository.get(job.id).status is JobStatus.CANCELED
    assert runtime.repository.row(job.id).books.results is None


def test_an_unknown_job_is_left_alone(runtime: Runtime) -> None:
    run_job(runtime, "0" * 32, worker_id=SLOT)
    assert not runtime.redis.keys("fixlip:job:*")


def test_a_job_of_another_worker_is_left_alone(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.bundles)
    runtime.repository.claim(job.id, "another/1", ttl_s=60)
    run_job(runtime, job.id, worker_id=SLOT)
    assert runtime.repository.get(job.id).status is JobStatus.RUNNING


def test_the_answer_of_a_run_that_was_taken_back_does_not_count(serve: Serve) -> None:
    def lose() -> None:
        for execution in runtime.executions.all():
            runtime.redis.zadd("fixlip:leases", {execution.lease.job_id: 1.0})
            runtime.repository.take_back(execution.lease.job_id, queue=runtime.queue)

    runtime = serve(FakeEncoder(on_batch=lose))
    job = run(runtime)
    assert job.status is JobStatus.QUEUED
    assert job.output is None
    again = runtime.repository.claim(job.id, "another/1", ttl_s=60)
    assert again is not None
    assert (again.lease.attempt, again.suspect) == (2, True)


def test_a_cancellation_that_comes_during_the_passes_is_obeyed(serve: Serve) -> None:
    def cancel() -> None:
        for execution in runtime.executions.all():
            runtime.repository.request_cancel(execution.job.id, queue=runtime.queue)
        watch.look()

    runtime = serve(FakeEncoder(on_batch=cancel))
    watch = Watch(runtime.executions, runtime.repository, runtime.queue, runtime.stop, ttl_s=60)
    job = run(runtime)
    assert job.status is JobStatus.CANCELED
    assert job.metrics.run_s is not None


def test_only_rq_runs_the_task(runtime: Runtime) -> None:
    with pytest.raises(RuntimeError, match="fixlip worker"):
        run_explanation("0" * 32)


def test_maps_are_drawn_over_what_the_model_sees(runtime: Runtime) -> None:
    job = run(runtime)
    files = files_of(runtime, job)
    explanation = from_npz_bytes(files["interactions.npz"])
    view = FakeEncoder().view(Image.open(io.BytesIO(png())))
    expected = render_maps(explanation, view)
    for name, rendered in expected.items():
        assert files[f"maps/{name}.png"] == rendered.png


def test_result_has_no_nan(runtime: Runtime) -> None:
    job = run(runtime, params={**PARAMS, "estimator": "least_squares", "budget": 512})
    text = files_of(runtime, job)["result.json"]
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in result.json"))


def test_encoders_are_chosen_by_the_record(serve: Serve) -> None:
    other = FakeEncoder(card=replace(CARD, id="other", grid=(2, 2)))
    job = run(serve(FakeEncoder(), other), model=JobModel(id="other", revision=CARD.revision))
    assert job.output is not None
    assert job.output.grid == (2, 2)


def test_a_job_of_a_model_that_others_serve_is_left_to_them(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.bundles, model=JobModel(id="theirs", revision=CARD.revision))
    runtime.catalogue.announce({**CARD.to_dict(), "id": "theirs"}, "another-worker", ttl_s=60)
    run_job(runtime, job.id, worker_id=SLOT)
    left = runtime.repository.get(job.id)
    assert (left.status, left.attempt, left.error) == (JobStatus.QUEUED, 0, None)
    state = runtime.repository.queue_state()
    assert (state.queued, state.delayed, state.running) == (0, 1, 0)


def test_a_job_of_a_batch_makes_room_for_the_next_as_soon_as_it_is_begun(serve: Serve) -> None:
    runtime = serve(batch_window=1)
    batches = BatchRepository(runtime.redis, runtime.settings, runtime.bundles)
    batches.create(BATCH, batch_items(runtime.bundles, 3, params={**PARAMS, "order": 1}))
    for index in range(3):
        assert batch_job_id(BATCH, index, 0) in set(map(job_of, runtime.queue.waiting()))
        run_job(runtime, batch_job_id(BATCH, index, 0), worker_id=SLOT)
    assert batches.get(BATCH).request_counts.completed == 3
    assert [row.status for row in batches.rows(BATCH, 0, 3)] == ["succeeded"] * 3


def test_a_job_does_not_suffer_where_no_further_ones_can_be_queued(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_: Feeder) -> int:
        raise ValueError("what is this")

    batches = BatchRepository(runtime.redis, runtime.settings, runtime.bundles)
    batches.create(BATCH, batch_items(runtime.bundles, 1, params={**PARAMS, "order": 1}))
    monkeypatch.setattr(Feeder, "feed", break_down)
    with caplog.at_level(logging.WARNING):
        run_job(runtime, batch_job_id(BATCH, 0, 0), worker_id=SLOT)
    assert batches.get(BATCH).request_counts.completed == 1
    assert "what is this" in caplog.text
