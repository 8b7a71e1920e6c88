from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from service.observability.logs import configure_logging, log_context
from service.observability.tracing import context_of, start_tracing

EXPECTED = {"event", "level", "logger", "timestamp"}


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, before = logging.getLogger(), logging.getLogger().level
    handlers = list(root.handlers)
    yield
    root.handlers = handlers
    root.setLevel(before)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_both_kinds_of_loggers_write_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    with log_context(request_id="r-1"):
        structlog.get_logger("service.one").info("event", number=1)
        logging.getLogger("worker.two").info("event of %s", "job")
    own, foreign = lines(capsys)
    assert own.keys() == {*EXPECTED, "request_id", "number"}
    assert foreign.keys() == {*EXPECTED, "request_id"}
    assert (own["logger"], foreign["logger"]) == ("service.one", "worker.two")
    assert own["request_id"] == foreign["request_id"] == "r-1"
    assert (own["level"], foreign["level"], foreign["event"]) == ("info", "info", "event of job")
    assert own["timestamp"][-1] == foreign["timestamp"][-1] == "Z"


def test_what_a_call_adds_is_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    logging.getLogger("worker.x").warning("lost", extra={"job_id": "j-1"})
    (line,) = lines(capsys)
    assert (line["job_id"], line["level"]) == ("j-1", "warning")


def test_a_context_is_of_its_own_thread_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    log = logging.getLogger("worker.x")
    with log_context(job_id="j-1"):
        other = threading.Thread(target=log.info, args=("elsewhere",))
        other.start()
        other.join()
    log.info("after")
    assert ["job_id" in line for line in lines(capsys)] == [False, False]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["own debug", "own info", "own warning", "other warning"]),
        ("info", ["own info", "own warning", "other warning"]),
        ("warning", ["own warning", "other warning"]),
        ("error", []),
    ],
)
def test_the_level_is_of_our_own_packages(level: Any, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level, "json")
    for name, logger in (("own", "worker.x"), ("other", "httpx")):
        for said in ("debug", "info", "warning"):
            logging.getLogger(logger).log(logging.getLevelNamesMapping()[said.upper()], "%s %s", name, said)
            structlog.get_logger("service.x").debug("structlog")
    assert [line["event"] for line in lines(capsys) if line["event"] != "structlog"] == expected


def test_a_traceback_is_one_line_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    caption = "a private caption"
    try:
        int(caption[:0] or "x")
    except ValueError:
        logging.getLogger("worker.x").exception("failed")
        structlog.get_logger("service.x").exception("failed")
    for line in lines(capsys):
        assert "ValueError" in line["exception"]
        assert caption not in json.dumps(line)


def test_it_is_configured_anew_rather_than_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "console")
    configure_logging("info", "json")
    logging.getLogger("worker.x").info("once")
    assert [line["event"] for line in lines(capsys)] == ["once"]


def test_people_get_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "console")
    caption = "a private caption"
    with log_context(job_id="j-1"):
        try:
            int(caption[:0] or "x")
        except ValueError:
            logging.getLogger("worker.x").exception("it failed")
    text = capsys.readouterr().err
    assert "it failed" in text
    assert "job_id=j-1" in text
    assert "ValueError" in text
    assert caption not in text
    assert "\x1b" not in text  # no terminal, no colours


def test_other_handlers_stay() -> None:
    other = logging.NullHandler()
    logging.getLogger().addHandler(other)
    configure_logging("info", "json")
    assert other in logging.getLogger().handlers


def test_a_pipe_gets_json() -> None:
    program = (
        "from service.observability.logs import configure_logging; configure_logging('info'); import logging;"
        "logging.getLogger('worker').info('said')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr)["event"] == "said"


def test_an_event_within_a_span_names_its_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging("info", "json")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    tracing = start_tracing("a-test")
    with tracing.tracer.start_as_current_span("quiet", context_of(f"00-{'a' * 32}-{'b' * 16}-00")):
        logging.getLogger("worker.x").info("within")
    logging.getLogger("worker.x").info("after")
    tracing.close()
    assert [line.get("trace_id") for line in lines(capsys)] == ["a" * 32, None]
