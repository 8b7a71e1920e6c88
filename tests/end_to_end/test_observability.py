"""One job through a real API and a real worker, as logs, metrics and traces tell of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixlip.redis_server import RedisServer
from fixlip.stack import listen
from tests.support.fake_worker import fake_worker
from tests.support.jobs import png
from tests.support.metrics import Sample, of, samples
from tests.support.processes import serving, wait_until
from tests.support.spans import ReceivedSpan, SpanReceiver, receiving_spans

TRACE_ID, CLIENT_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
REQUEST_ID = "my-request-1"
SECRET, CAPTION = "fxl_not_a_key", "a confidential caption"
PHASES = {"inputs", "model", "passes", "solve", "render", "store"}


@dataclass(frozen=True)
class Told:
    """What was told of a job."""

    job: dict[str, Any]
    spans: SpanReceiver
    api_log: list[dict[str, Any]]
    worker_log: list[dict[str, Any]]
    api_metrics: Mapping[Sample, float]
    worker_metrics: Mapping[Sample, float]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Told]:
    """A job's way, once for all tests."""
    directory = tmp_path_factory.mktemp("told")
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with receiving_spans() as spans:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": spans.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        common = {**traced, "FIXLIP_KEY_PREFIX": "told", "FIXLIP_QUEUE": "told", "FIXLIP_LOG_LEVEL": "debug"}
        with (
            fake_worker(redis_server.url, directory, FIXLIP_METRICS_PORT=str(port), **common),  # type: ignore[arg-type]
            serving(redis_server.url, directory, **common) as url,
        ):
            job = _explain(url)
            wait_until(lambda: bool(spans.named("job") and spans.named("POST /v1/explanations")))
            api_metrics = samples(httpx.get(f"{url}/metrics").text)
            worker_metrics = samples(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
        yield Told(
            job,
            spans,
            _events(directory / "api.log"),
            _events(next(directory.glob("worker-*.log"))),
            api_metrics,
            worker_metrics,
        )


def _explain(url: str) -> dict[str, Any]:
    form = {"caption": CAPTION, "metadata": '{"note": "confidential"}'}
    known = {"traceparent": f"00-{TRACE_ID}-{CLIENT_SPAN}-01", "X-Request-Id": REQUEST_ID}
    with httpx.Client(base_url=url, timeout=20) as client:
        wait_until(lambda: client.get("/readyz").is_success)
        assert client.get("/v1/models", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 401
        answer = client.post("/v1/explanations", files={"image": png()}, data=form, headers=known)
        job: dict[str, Any] = answer.raise_for_status().json()
        deadline = time.monotonic() + 60
        while job["status"] not in ("succeeded", "failed"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
            job = client.get(job["urls"]["self"]).json()
    return job


def _events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def children_of(span: ReceivedSpan, spans: SpanReceiver) -> list[ReceivedSpan]:
    return [other for other in spans.spans if other.parent_id == span.span_id]


def test_it_is_one_trace_from_the_request_to_the_batches(told: Told) -> None:
    assert told.job["status"] == "succeeded"
    (submitted,) = (span for span in told.spans.named("POST /v1/explanations") if span.trace_id == TRACE_ID)
    (enqueued,) = children_of(submitted, told.spans)
    (run,) = children_of(enqueued, told.spans)
    parts = children_of(run, told.spans)
    assert submitted.parent_id == CLIENT_SPAN
    assert (enqueued.name, run.name) == ("enqueue", "job")
    assert {span.name for span in parts} == {*PHASES, "batch"}
    assert {span.trace_id for span in (enqueued, run, *parts)} == {TRACE_ID}
    assert (submitted.service, enqueued.service, run.service) == ("fixlip-api", "fixlip-api", "fixlip-worker")
    assert submitted.attributes["http.route"] == "/v1/explanations"
    assert submitted.attributes["http.response.status_code"] == 202
    assert enqueued.attributes["fixlip.job.id"] == run.attributes["fixlip.job.id"] == told.job["id"]
    assert run.attributes["fixlip.job.batches"] >= len([span for span in parts if span.name == "batch"]) > 0


def test_the_spans_times_fit_into_each_other(told: Told) -> None:
    (run,) = told.spans.named("job")
    slack_ns = 50_000_000  # two clocks are read one after the other
    for part in children_of(run, told.spans):
        assert run.started_ns - slack_ns <= part.started_ns <= part.ended_ns <= run.ended_ns + slack_ns, part.name


def test_the_logs_of_both_name_request_and_job(told: Told) -> None:
    (request,) = (
        event for event in told.api_log if event["event"] == "request" and event.get("request_id") == REQUEST_ID
    )
    (done,) = (event for event in told.worker_log if "succeeded" in event["event"])
    assert (request["method"], request["path"], request["status"]) == ("POST", "/v1/explanations", 202)
    assert (done["request_id"], done["job_id"], done["attempt"]) == (REQUEST_ID, told.job["id"], 1)
    assert request["tenant"] == done["tenant"] == "default"
    assert request["trace_id"] == done["trace_id"] == TRACE_ID
    assert told.job["request_id"] == REQUEST_ID


def test_every_event_has_the_same_fields(told: Told) -> None:
    for event in (*told.api_log, *told.worker_log):
        assert {"event", "level", "logger", "timestamp"} <= event.keys(), event


def test_nothing_that_was_sent_is_in_a_log_or_a_span(told: Told) -> None:
    text = json.dumps([told.api_log, told.worker_log]) + str(told.spans.spans)
    for sent in ("confidential", SECRET, "iVBOR"):
        assert sent not in text


def test_the_worker_s_metrics_add_up(told: Told) -> None:
    found = told.worker_metrics
    assert found[of("fixlip_worker_runs_total", outcome="succeeded", code="")] == 1
    assert found[of("fixlip_worker_phase_seconds_count", phase="passes", method="fixlip")] == 1
    towers = [found[of("fixlip_worker_forward_passes_total", tower=tower)] for tower in ("image", "text")]
    assert sum(towers) == told.job["metrics"]["forward_passes"] == found[of("fixlip_worker_batch_rows_total")]
    batches = [found[of("fixlip_worker_batch_seconds_count", tower=tower)] for tower in ("image", "text")]
    (run,) = told.spans.named("job")
    assert sum(batches) == run.attributes["fixlip.job.batches"]
    assert 0 <= found[of("fixlip_worker_heartbeat_age_seconds")] < 10
    assert found[of("process_resident_memory_bytes")] > 0


def test_the_api_s_metrics_know_the_submission(told: Told) -> None:
    found = told.api_metrics
    assert found[of("fixlip_http_requests_total", method="POST", route="/v1/explanations", status="202")] == 1
    assert found[of("fixlip_live_workers", model="fake")] == 1
