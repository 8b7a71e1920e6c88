from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from redis import ConnectionError as RedisConnectionError
from rq.timeouts import JobTimeoutException

from fixlip_core.formats import from_json_bytes, from_npz_bytes, to_npz_bytes
from fixlip_core.rendering import render_maps
from service.jobs.artifacts import INPUTS, RESULTS
from service.jobs.errors import ArtifactNotFoundError
from service.jobs.records import Job, JobFailure, JobInput, JobModel, JobResult, JobStatus
from service.jobs.repository import JobRepository
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.jobs import PARAMS, png, submit
from worker.runtime import Runtime
from worker.stopping import Stop
from worker.tasks import run_explanation


def run(runtime: Runtime, **changes: Any) -> Job:
    job = submit(runtime.repository, runtime.artifacts, **changes)
    run_explanation(job.id)
    return runtime.repository.get(job.id)


def serve(runtime: Runtime, **changes: Any) -> None:
    runtime.encoders = {CARD.id: FakeEncoder(**changes)}


def raising(error: BaseException) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it


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
    for info in job.output.maps:
        assert runtime.artifacts.read(job.id, RESULTS, f"maps/{info.name}.png").startswith(b"\x89PNG")
    assert runtime.artifacts.read(job.id, RESULTS, "view.png").startswith(b"\x89PNG")


def test_files_agree_with_each_other_and_with_the_record(runtime: Runtime) -> None:
    job = run(runtime)
    read = runtime.artifacts.read
    exact = from_npz_bytes(read(job.id, RESULTS, "interactions.npz"))
    from_json = from_json_bytes(read(job.id, RESULTS, "interactions.json"))
    assert to_npz_bytes(from_json) == read(job.id, RESULTS, "interactions.npz")
    result = JobResult.model_validate_json(read(job.id, RESULTS, "result.json"))
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


def test_same_job_gives_the_same_bytes(runtime: Runtime) -> None:
    first, second = run(runtime), run(runtime)
    for name in ("interactions.npz", "interactions.json", "result.json", "maps/graph.png", "view.png"):
        assert runtime.artifacts.read(first.id, RESULTS, name) == runtime.artifacts.read(second.id, RESULTS, name)


def test_parameters_reach_the_method(runtime: Runtime) -> None:
    job = run(runtime, params={**PARAMS, "order": 1, "p": 0.3, "seed": 7})
    explanation = from_npz_bytes(runtime.artifacts.read(job.id, RESULTS, "interactions.npz"))
    assert (explanation.order, explanation.p, explanation.provenance["seed"]) == (1, 0.3, 7)
    assert job.output is not None
    assert job.output.top_interactions == ()


def test_parameters_are_those_of_the_stored_request(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts, params={**PARAMS, "regions": "sha256:0"})
    params = {**PARAMS, "regions": [[0, 0, 1, 2]]}
    runtime.artifacts.write(job.id, INPUTS, {"image": png(), "request.json": json.dumps({"params": params}).encode()})
    run_explanation(job.id)
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


def test_files_are_there_before_the_status(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    succeed = JobRepository.succeed

    def watch(self: JobRepository, job_id: str, *arguments: Any) -> bool:
        seen.append(bool(runtime.artifacts.read(job_id, RESULTS, "result.json")))
        return succeed(self, job_id, *arguments)

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


class OutOfMemoryError(RuntimeError):
    """By name and base what torch raises for a device."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "out_of_memory"),
        (OutOfMemoryError("CUDA out of memory"), "out_of_memory"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
        (JobTimeoutException(), "deadline_exceeded"),
        (RuntimeError("secret path /srv/models"), "internal_error"),
        (ZeroDivisionError("secret"), "internal_error"),
    ],
)
def test_faults_of_the_worker_become_codes(
    runtime: Runtime, error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="worker.tasks")
    serve(runtime, on_batch=raising(error))
    job = run(runtime)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert job.error.code == code
    assert "secret" not in job.error.detail
    assert "Traceback" not in job.error.detail
    logged = [record for record in caplog.records if record.exc_info and record.exc_info[1] is error]
    assert (logged[0].levelno == logging.ERROR) is (code == "internal_error")
    with pytest.raises(ArtifactNotFoundError):
        runtime.artifacts.read(job.id, RESULTS, "result.json")


def test_missing_inputs_fail_the_job(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts)
    runtime.artifacts.delete(job.id)
    run_explanation(job.id)
    failed = runtime.repository.get(job.id)
    assert failed.error is not None
    assert failed.error.code == "artifact_not_found"


def test_deadline_is_kept_between_batches(runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update={"job_timeout_s": 1})
    serve(runtime, row_s=0.02)
    started = time.monotonic()
    job = run(runtime, params={**PARAMS, "budget": 4096})
    assert time.monotonic() - started < 6
    assert job.error is not None
    assert job.error.code == "deadline_exceeded"
    assert "stopped after 1 s with " in job.error.detail


def test_stopping_worker_does_not_finish_the_job(runtime: Runtime) -> None:
    runtime.stop = Stop(grace_s=0)
    serve(runtime, on_batch=runtime.stop.request)
    job = run(runtime)
    assert job.status is JobStatus.RUNNING
    assert runtime.unfinished == job.id
    runtime.hand_back()
    again = runtime.repository.get(job.id)
    assert again.status is JobStatus.QUEUED
    assert again.started_at is None
    assert runtime.queue.depth() == 1
    assert runtime.unfinished is None


def test_within_the_grace_the_job_is_finished(runtime: Runtime) -> None:
    runtime.stop = Stop(grace_s=60)
    runtime.stop.request()
    assert run(runtime).status is JobStatus.SUCCEEDED


def test_a_final_job_is_left_alone(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts)
    runtime.repository.fail(job.id, JobFailure(code="canceled", detail="by a test"))
    run_explanation(job.id)
    assert runtime.repository.get(job.id).status is JobStatus.FAILED
    with pytest.raises(ArtifactNotFoundError):
        runtime.artifacts.read(job.id, RESULTS, "result.json")


def test_an_unknown_job_is_left_alone(runtime: Runtime) -> None:
    run_explanation("0" * 32)
    assert not runtime.redis.keys("fixlip:job:*")


def test_a_job_of_another_live_worker_is_left_alone(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts)
    runtime.catalogue.announce(CARD.to_dict(), "another", ttl_s=60)
    runtime.repository.claim(job.id, "another")
    run_explanation(job.id)
    assert runtime.repository.get(job.id).status is JobStatus.RUNNING


def test_a_job_that_ends_elsewhere_is_dropped(runtime: Runtime) -> None:
    job = submit(runtime.repository, runtime.artifacts)
    end = JobFailure(code="worker_lost", detail="by a test")
    serve(runtime, on_batch=lambda: runtime.repository.fail(job.id, end))
    run_explanation(job.id)
    assert runtime.repository.get(job.id).error == end
    with pytest.raises(ArtifactNotFoundError):
        runtime.artifacts.read(job.id, RESULTS, "result.json")


def test_progress_is_told_now_and_then_and_at_the_end(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    set_progress = JobRepository.set_progress

    def listen(self: JobRepository, job_id: str, completed: int, total: int) -> bool:
        told.append((completed, total))
        return set_progress(self, job_id, completed, total)

    monkeypatch.setattr(JobRepository, "set_progress", listen)
    serve(runtime, row_s=0.001)
    job = run(runtime, params={**PARAMS, "budget": 1024})
    assert len(told) >= 3
    assert len(told) <= 2 + 4 * (job.metrics.run_s or 0)
    assert [completed for completed, _ in told] == sorted(completed for completed, _ in told)
    assert told[-1] == (job.metrics.forward_passes, job.metrics.forward_passes)


@pytest.mark.parametrize("method", ["claim", "set_progress", "succeed"])
def test_redis_trouble_is_waited_out(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    act = getattr(JobRepository, method)
    failures = iter(range(2))

    def flaky(self: JobRepository, *arguments: Any) -> Any:
        if next(failures, None) is not None:
            raise RedisConnectionError("away")
        return act(self, *arguments)

    monkeypatch.setattr(JobRepository, method, flaky)
    assert run(runtime).status is JobStatus.SUCCEEDED
    assert next(failures, None) is None


def test_redis_trouble_while_failing_is_waited_out(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    fail = JobRepository.fail
    failures = iter([RedisConnectionError("away")])

    def flaky(self: JobRepository, *arguments: Any) -> bool:
        for error in failures:
            raise error
        return fail(self, *arguments)

    monkeypatch.setattr(JobRepository, "fail", flaky)
    serve(runtime, on_batch=raising(MemoryError()))
    assert run(runtime).status is JobStatus.FAILED


def test_redis_trouble_of_a_stopping_worker_leaves_an_orphan(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: JobRepository, *arguments: Any) -> bool:
        runtime.stop.request()
        runtime.stop.request()
        raise RedisConnectionError("away")

    job = submit(runtime.repository, runtime.artifacts)
    monkeypatch.setattr(JobRepository, "succeed", away)
    with pytest.raises(RedisConnectionError):
        run_explanation(job.id)
    assert runtime.repository.get(job.id).status is JobStatus.RUNNING


def test_maps_are_drawn_over_what_the_model_sees(runtime: Runtime) -> None:
    job = run(runtime)
    explanation = from_npz_bytes(runtime.artifacts.read(job.id, RESULTS, "interactions.npz"))
    view = FakeEncoder().view(Image.open(io.BytesIO(png())))
    expected = render_maps(explanation, view)
    for name, rendered in expected.items():
        assert runtime.artifacts.read(job.id, RESULTS, f"maps/{name}.png") == rendered.png


def test_result_has_no_nan(runtime: Runtime) -> None:
    job = run(runtime, params={**PARAMS, "estimator": "least_squares", "budget": 512})
    text = runtime.artifacts.read(job.id, RESULTS, "result.json")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in result.json"))


def test_encoders_are_chosen_by_the_record(runtime: Runtime) -> None:
    other = FakeEncoder(card=replace(CARD, id="other", grid=(2, 2)))
    runtime.encoders = {**runtime.encoders, "other": other}
    job = run(runtime, model=JobModel(id="other", revision=CARD.revision))
    assert job.output is not None
    assert job.output.grid == (2, 2)
