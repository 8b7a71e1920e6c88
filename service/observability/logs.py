"""Logs: one event per line on standard error, with the ids of the request and the job that it belongs to.

The service's own events and those of the standard library's loggers, such as uvicorn's and RQ's, look the same.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final, Literal

import structlog
from opentelemetry.trace import format_trace_id, get_current_span
from structlog.contextvars import bound_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["LogFormat", "LogLevel", "configure_logging", "log_context"]

LogFormat = Literal["auto", "console", "json"]
"""``auto`` is ``console`` where standard error is a terminal, else ``json``."""
LogLevel = Literal["debug", "info", "warning", "error"]

OURS: Final = ("fixlip", "fixlip_core", "service", "worker")
"""Packages whose events of the chosen level are logged; of all others, warnings and what is worse."""
IDS: Final = ("request_id", "tenant", "job_id", "attempt")
"""What an event of the standard library may bring along as ``extra``."""

log_context = bound_contextvars
"""``with log_context(job_id=...)``: what every event within, in this thread or task, is logged with."""


def configure_logging(level: LogLevel, form: LogFormat = "auto") -> None:
    """Log to standard error from now on, in the whole process.

    Args:
        level: events of it and above are logged, of this program's own packages.
        form: how a line looks: as JSON, or for people.
    """
    is_console = form == "console" or (form == "auto" and sys.stderr.isatty())
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
    ]
    shown = _for_people() if is_console else _as_json()
    structlog.configure(
        processors=[*common, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Lines,
    )
    handler = _Handler()
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*common, ExtraAdder(IDS)], processors=[ProcessorFormatter.remove_processors_meta, *shown]
        )
    )
    _install(handler, level)


def _add_trace_id(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    span = get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = format_trace_id(span.trace_id)
    return event


def _as_json() -> list[Processor]:
    # A traceback without the variables' values: they hold what users sent.
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _for_people() -> list[Processor]:
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def _install(handler: logging.Handler, level: LogLevel) -> None:
    """Have all loggers write through ``handler``, in place of one of an earlier call; others are not ours to end."""
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    for package in OURS:
        logging.getLogger(package).setLevel(level.upper())


class _Lines:
    """What structlog's own events are written to: standard error as it is then, a line at once."""

    def __init__(self, name: str = "service") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        # In one piece, so that threads do not cut into each other's.
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


class _Handler(logging.StreamHandler[Any]):
    """What the standard library's events are written to: the same."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event to standard error as it is now: a process, or a test, may exchange it."""
        self.stream = sys.stderr
        super().emit(record)
