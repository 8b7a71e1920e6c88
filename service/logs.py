"""Logs: one JSON object per line on standard error, with the request's id."""

from __future__ import annotations

import sys

import structlog

__all__ = ["configure_logging"]


def configure_logging(level: str) -> None:
    """Log events of ``level`` and above as JSON lines on standard error, with what is bound to their context."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # never the variables' values: they hold what users sent
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
    )
