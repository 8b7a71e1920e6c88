"""Traces: what a request and its job spent their time on, from the API through the queue to the batches.

Off unless OpenTelemetry's own variables ask for them: ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where spans are sent, and
the other ``OTEL_*`` variables hold as well. While it is off the SDK is not loaded, and a span costs next to nothing.

Between processes, what a span is part of is told by a W3C ``traceparent``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracerProvider, Span, Tracer, TracerProvider, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = ["NO_TRACING", "Tracing", "context_of", "start_tracing", "traceparent_of"]

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
CLOSED_WITHIN_S: Final = 2.0

_W3C: Final = TraceContextTextMapPropagator()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tracing:
    """A process's traces.

    Attributes:
        provider: what its spans come from; None where there are no traces.
        shut_down: sends the last ones.
    """

    provider: TracerProvider | None = None
    shut_down: Callable[[], object] = lambda: None

    @property
    def tracer(self) -> Tracer:
        """Makes spans, which come to nothing where there are no traces."""
        return (self.provider or NoOpTracerProvider()).get_tracer("fixlip")

    def close(self) -> None:
        """Send what was not sent yet, or give that up after a moment."""
        # It has a patience of its own with receivers that do not answer, which no process that stops can wait for.
        closing = Thread(target=self.shut_down, daemon=True)
        closing.start()
        closing.join(CLOSED_WITHIN_S)


NO_TRACING: Final = Tracing()


def start_tracing(service: str) -> Tracing:
    """The traces of this process, if the environment asks for any.

    Args:
        service: what the process is called, unless ``OTEL_SERVICE_NAME`` says otherwise.
    """
    if not _is_wanted():
        return NO_TRACING
    try:
        return _by_sdk(service)
    except ModuleNotFoundError as error:
        # The variables may be there for all that runs on a cluster; that is no reason not to work.
        _log.warning("there are no traces, for want of a package (%s): pip install 'fixlip[otel]'", error.name)
        return NO_TRACING


def traceparent_of(span: Span) -> str | None:
    """What names a span to other processes; None where there are no traces."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, set_span_in_context(span))
    return carrier.get("traceparent")


def context_of(traceparent: str | None) -> Context:
    """What a span begins in that is part of another process's; in nothing, where the text names none."""
    return _W3C.extract({"traceparent": traceparent} if traceparent else {}, context=Context())


def _is_wanted() -> bool:
    asked = os.environ.get
    exporter = asked("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none" or asked("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return bool(exporter) or any(asked(name) for name in ENDPOINTS)


def _by_sdk(service: str) -> Tracing:
    """Spans by OTLP over HTTP; what is sampled is up to ``OTEL_TRACES_SAMPLER``."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = os.environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    if exporter.strip().lower() != "otlp":
        _log.warning("OTEL_TRACES_EXPORTER: %r is not known here; spans are sent by OTLP over HTTP", exporter)
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({} if named else {"service.name": service})
    provider = SdkTracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider, provider.shutdown)
