from __future__ import annotations

import json
import logging
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest

from fixlip_core.batching import BatchRun
from fixlip_core.errors import DeviceMemoryError
from service.jobs.leases import Claim, Lease
from service.jobs.records import Job, JobInput, JobModel
from service.observability.logs import configure_logging
from service.observability.tracing import start_tracing
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.jobs import PARAMS
from tests.support.metrics import Sample, of, samples
from tests.support.running import Serve, raising, run
from tests.support.spans import receiving_spans
from worker.execution import Execution, Verdict
from worker.observing import MAX_COMPANY, Observer
from worker.runtime import Runtime

PHASES = ("queue", "inputs", "model", "passes", "solve", "render", "store")
REQUEST = "r-1"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def scrape(runtime: Runtime) -> Mapping[Sample, float]:
    return samples(generate_latest(runtime.observer.metrics.registry).decode())


def execution(*, traceparent: str | None = None, attempt: int = 1) -> Execution:
    job = Job(
        model=JobModel(id=CARD.id, revision=CARD.revision),
        method="fixlip",
        params={},
        input=JobInput(image_sha256="0" * 64, caption="a private caption"),
        request_id=REQUEST,
    )
    claim = Claim(job, Lease(job.id, attempt, "w/1"), suspect=False, retries=0, tenant="acme", traceparent=traceparent)
    return Execution(claim, time_limit_s=60)


def batch(rows_of: Mapping[Hashable, int]) -> BatchRun:
    return BatchRun(modality="text", rows_of=rows_of, capacity_rows=64, started_s=1.0, ended_s=1.5)


@pytest.fixture
def events(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Gives the events that were logged."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure_logging("info", "json")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers = before
    root.setLevel(level)


def test_a_job_goes_through_all_phases(runtime: Runtime) -> None:
    done = run(runtime)
    found = scrape(runtime)
    for phase in PHASES:
        assert found[of("fixlip_worker_phase_seconds_count", phase=phase, method="fixlip")] == 1, phase
    spent_s = sum(found[of("fixlip_worker_phase_seconds_sum", phase=phase, method="fixlip")] for phase in PHASES[1:])
    assert done.metrics.run_s is not None
    assert 0.5 * done.metrics.run_s < spent_s <= done.metrics.run_s + 1
    assert found[of("fixlip_worker_runs_total", outcome="succeeded", code="")] == 1


def test_all_passes_of_a_job_are_counted(runtime: Runtime) -> None:
    output = run(runtime).output
    assert output is not None
    found = scrape(runtime)
    counted = {tower: found[of("fixlip_worker_forward_passes_total", tower=tower)] for tower in ("image", "text")}
    assert counted == {"image": output.image_passes, "text": output.text_passes}


def test_passes_of_an_evaluation_are_counted_and_a_phase(runtime: Runtime) -> None:
    done = run(runtime, evaluate=("faithfulness",))
    found = scrape(runtime)
    counted = [found[of("fixlip_worker_forward_passes_total", tower=tower)] for tower in ("image", "text")]
    assert sum(counted) == (done.metrics.forward_passes or 0) + (done.metrics.evaluation_passes or 0)
    assert found[of("fixlip_worker_phase_seconds_count", phase="evaluate", method="fixlip")] == 1


def test_a_failure_has_its_code(serve: Serve) -> None:
    runtime = serve(FakeEncoder(on_batch=raising(DeviceMemoryError("no"))))
    run(runtime)
    run(runtime, method="grad_eclip", params={})
    found = scrape(runtime)
    assert found[of("fixlip_worker_runs_total", outcome="failed", code="out_of_memory")] == 1
    assert found[of("fixlip_worker_runs_total", outcome="failed", code="unsupported_model")] == 1


@pytest.mark.parametrize(
    ("verdict", "outcome", "code"),
    [
        (Verdict.CANCELED, "canceled", ""),
        (Verdict.OVERDUE, "failed", "deadline_exceeded"),
        (Verdict.LOST, "lost", ""),
        (Verdict.HANDED_BACK, "handed_back", ""),
        (Verdict.GIVEN_UP, "given_up", ""),
        (None, "abandoned", ""),
    ],
)
def test_every_verdict_has_an_outcome(verdict: Verdict | None, outcome: str, code: str) -> None:
    one = execution()
    if verdict is not None:
        one.decide(verdict)
    assert (one.ending.outcome, one.ending.code) == (outcome, code)


def test_a_second_attempt_has_not_waited_from_the_beginning() -> None:
    observer = Observer()
    again = execution(attempt=2)
    again.job = again.job.model_copy(update={"metrics": again.job.metrics.model_copy(update={"queue_s": 9.0})})
    with observer.watch(again):
        pass
    found = samples(generate_latest(observer.metrics.registry).decode())
    assert of("fixlip_worker_phase_seconds_count", phase="queue", method="fixlip") not in found


def test_the_events_of_a_run_have_its_ids(runtime: Runtime, events: Any) -> None:
    job = run(runtime, request_id=REQUEST)
    (done,) = (event for event in events() if "succeeded" in event["event"])
    ids = {name: done[name] for name in ("job_id", "attempt", "request_id", "tenant")}
    assert ids == {"job_id": job.id, "attempt": 1, "request_id": REQUEST, "tenant": "default"}


def test_no_event_has_what_was_sent(serve: Serve, events: Any) -> None:
    runtime = serve(FakeEncoder(on_batch=raising(RuntimeError("unforeseen"))))
    sent = JobInput(image_sha256="0" * 64, caption="a private caption")
    run(runtime, input=sent, metadata={"note": "a private note"})
    run(runtime, input=sent, params={**PARAMS, "p": 2})
    logged = events()
    assert any("unforeseen" in json.dumps(event) for event in logged)
    assert "private" not in json.dumps(logged)


def test_a_batch_is_noted_by_all_who_are_in_it() -> None:
    observer = Observer()
    one, other = execution(), execution()
    with observer.watch(one), observer.watch(other):
        observer.on_batch(batch({one.job.id: 3, other.job.id: 5, "gone": 7}))
    observer.on_batch(batch({one.job.id: 3}))
    assert [(part.rows, part.batch.rows) for part in one.trail.batches] == [(3, 15)]
    assert [(part.rows, part.batch.rows) for part in other.trail.batches] == [(5, 15)]


def test_a_run_is_a_span_with_its_phases_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving_spans() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        observer = Observer(tracing=start_tracing("a-worker"))
        runs = [execution(traceparent=TRACEPARENT), *(execution() for _ in range(MAX_COMPANY + 2))]
        first = runs[0]
        with observer.watch(first):
            others = [observer.watch(other) for other in runs[1:]]
            for other in others:
                other.__enter__()
            with first.trail.phase("inputs"):
                pass
            observer.on_batch(batch({run.job.id: 2 for run in runs}))
            first.end_as("failed", "out_of_memory")
            for other in others:
                other.__exit__(None, None, None)
        observer.tracing.close()
    (job,) = (span for span in receiver.named("job") if span.attributes["fixlip.job.id"] == first.job.id)
    (inputs,) = receiver.named("inputs")
    (mine,) = (span for span in receiver.named("batch") if span.parent_id == job.span_id)
    assert f"00-{job.trace_id}-{job.parent_id}-01" == TRACEPARENT
    assert (job.failed, job.attributes["fixlip.job.outcome"], job.attributes["fixlip.job.batches"]) == (
        "out_of_memory",
        "failed",
        1,
    )
    assert inputs.parent_id == job.span_id
    assert (mine.attributes["fixlip.batch.rows_of_job"], mine.attributes["fixlip.batch.jobs"]) == (2, len(runs))
    assert mine.trace_id == job.trace_id
    assert len(mine.links) == MAX_COMPANY
    assert {*mine.links} <= {span.span_id for span in receiver.named("job")} - {job.span_id}
    assert "private" not in str(receiver.spans)


def test_the_events_of_a_traced_run_have_its_trace(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, events: Any
) -> None:
    with receiving_spans() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        traced = replace(runtime, observer=Observer(tracing=start_tracing("a-worker")))
        run(traced)
        traced.observer.tracing.close()
    (done,) = (event for event in events() if "succeeded" in event["event"])
    (job,) = receiver.named("job")
    assert done["trace_id"] == job.trace_id
