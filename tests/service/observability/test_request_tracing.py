from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.settings import ServiceSettings
from tests.support.spans import receiving_spans

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(redis_url=redis_url, data_dir=tmp_path, auth="none")


def test_a_request_is_a_span_of_its_route(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving_spans() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        with TestClient(create_app(settings)) as client:
            headers = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "X-Request-Id": "r-1"}
            client.get("/v1/explanations/private", headers=headers)
            client.get("/livez")
    (read,) = receiver.named("GET /v1/explanations/{explanation_id}")
    (livez,) = receiver.named("GET /livez")
    assert (read.trace_id, read.parent_id) == (TRACE_ID, SPAN_ID)
    assert (livez.parent_id, livez.service) == ("", "fixlip-api")
    assert livez.trace_id != TRACE_ID
    assert read.attributes["http.response.status_code"] == 404
    assert read.attributes["fixlip.request_id"] == "r-1"
    assert "error.type" not in read.attributes  # a client's error is none of the service's
    assert {span.name for span in receiver.spans} == {read.name, livez.name}
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = (line for line in logged if line.get("request_id") == "r-1" and line["event"] == "request")
    assert line["trace_id"] == TRACE_ID


def test_an_error_of_the_service_is_one_of_the_span(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ServiceSettings(redis_url=f"unix://{tmp_path}/none.sock", data_dir=tmp_path, auth="none")
    with receiving_spans() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        with TestClient(create_app(settings)) as client:
            client.get("/v1/models")
    (failed,) = receiver.named("GET /v1/models")
    assert (failed.attributes["error.type"], failed.attributes["http.response.status_code"]) == ("503", 503)


def test_without_traces_no_trace_is_logged(settings: ServiceSettings, capsys: pytest.CaptureFixture[str]) -> None:
    with TestClient(create_app(settings)) as client:
        client.get("/livez", headers={"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"})
    assert TRACE_ID not in capsys.readouterr().err
