from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from opentelemetry.trace import get_current_span

from service.observability.tracing import NO_TRACING, Tracing, context_of, start_tracing, traceparent_of
from tests.support.spans import SpanReceiver, receiving_spans

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


def tracing_to(receiver: SpanReceiver, monkeypatch: pytest.MonkeyPatch) -> Tracing:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    return start_tracing("a-test")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_SERVICE_NAME": "a-name"},
    ],
)
def test_nobody_who_does_not_ask_has_traces(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    tracing = start_tracing("a-test")
    assert tracing is NO_TRACING
    with tracing.tracer.start_as_current_span("nothing") as span:
        assert not span.is_recording()
        assert traceparent_of(span) is None
    tracing.close()


def test_while_it_is_off_no_sdk_is_imported_for_it() -> None:
    program = (
        "import sys; from service.observability.tracing import start_tracing; start_tracing('x'); "
        "print(*[name for name in sys.modules if 'opentelemetry.sdk' in name or 'opentelemetry.exporter' in name])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_without_the_packages_there_is_a_warning_and_no_traces() -> None:
    program = (
        "import sys, logging; logging.basicConfig(); sys.modules['opentelemetry.sdk.trace'] = None;"
        "from service.observability.tracing import NO_TRACING, start_tracing; print(start_tracing('x') is NO_TRACING)"
    )
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    assert "pip install 'fixlip[otel]'" in done.stderr


def test_a_trace_goes_on_from_what_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving_spans() as receiver:
        tracing = tracing_to(receiver, monkeypatch)
        first = tracing.tracer.start_span("first", context_of(TRACEPARENT))
        second = tracing.tracer.start_span("second", context_of(traceparent_of(first)))
        second.end()
        first.end()
        tracing.close()
    (one,), (two,) = receiver.named("first"), receiver.named("second")
    assert (one.trace_id, one.parent_id, one.service) == (TRACE_ID, SPAN_ID, "a-test")
    assert (two.trace_id, two.parent_id) == (TRACE_ID, one.span_id)


@pytest.mark.parametrize("parent", [None, "", "nonsense", f"00-{'0' * 32}-{SPAN_ID}-01", "é"])
def test_a_text_that_names_nothing_is_no_error(parent: str | None) -> None:
    assert not get_current_span(context_of(parent)).get_span_context().is_valid


def test_what_comes_from_elsewhere_is_no_part_of_what_goes_on_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving_spans() as receiver:
        tracing = tracing_to(receiver, monkeypatch)
        with tracing.tracer.start_as_current_span("here"):
            tracing.tracer.start_span("elsewhere", context_of(None)).end()
        tracing.close()
    (elsewhere,) = receiver.named("elsewhere")
    assert elsewhere.parent_id == ""


def test_who_is_not_sampled_tells_those_after(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving_spans() as receiver:
        tracing = tracing_to(receiver, monkeypatch)
        quiet = tracing.tracer.start_span("quiet", context_of(f"00-{TRACE_ID}-{SPAN_ID}-00"))
        assert (traceparent_of(quiet) or "").endswith("-00")
        quiet.end()
        tracing.close()
    assert receiver.spans == []


def test_the_operator_names_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "my-fixlip")
    with receiving_spans() as receiver:
        tracing = tracing_to(receiver, monkeypatch)
        tracing.tracer.start_span("one").end()
        tracing.close()
    assert [span.service for span in receiver.spans] == ["my-fixlip"]


def test_a_receiver_that_is_away_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    tracing = start_tracing("a-test")
    started_s = time.monotonic()
    tracing.tracer.start_span("lost").end()
    assert time.monotonic() - started_s < 1
    tracing.close()
    assert time.monotonic() - started_s < 4
