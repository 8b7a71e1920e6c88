"""What is told of a worker's runs while they go on: logs with their ids, metrics and traces."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    set_span_in_context,
    use_span,
)

from fixlip_core.batching import BatchRun, Modality
from service.observability.logs import log_context
from service.observability.tracing import NO_TRACING, Tracing, context_of
from worker.execution import Execution
from worker.metrics import WorkerMetrics
from worker.trail import BatchPart, Trail

__all__ = ["Observer"]

MAX_COMPANY: Final = 8
"""Other runs that a span of a batch links to."""


@dataclass(slots=True)
class _Watched:
    """A run under way."""

    trail: Trail
    span: SpanContext | None


@dataclass(frozen=True, slots=True)
class Observer:
    """Watches the runs of a process; all threads may use it.

    Attributes:
        metrics: where they are counted.
        tracing: where their spans go.
    """

    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    tracing: Tracing = NO_TRACING
    _runs: dict[str, _Watched] = field(default_factory=dict)

    @contextmanager
    def watch(self, execution: Execution) -> Iterator[None]:
        """The block is the run, in its own thread: its events are logged with its ids, and its end is counted."""
        job, tracer = execution.job, self.tracing.tracer
        span = tracer.start_span(
            "job", context_of(execution.traceparent), kind=SpanKind.CONSUMER, attributes=_attributes(execution)
        )
        self._runs[job.id] = _Watched(execution.trail, span.get_span_context() if span.is_recording() else None)
        known = {name: value for name, value in execution.ids.items() if value is not None}
        try:
            with log_context(**known), use_span(span, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            self._runs.pop(job.id, None)
            self._count(execution)
            if span.is_recording():
                _tell_parts(tracer, span, execution.trail)
                _tell_ending(span, execution)
            span.end()

    def on_batch(self, batch: BatchRun) -> None:
        """A batch was run, of the runs of the jobs whose ids are its clients; called in the device's thread."""
        self.metrics.count_batch(batch)
        found = {client: run for client in batch.rows_of if (run := self._runs.get(str(client)))}
        for client, run in found.items():
            company = [other.span for other in found.values() if other is not run and other.span][:MAX_COMPANY]
            run.trail.note(batch, batch.rows_of[client], company)

    def count_passes(self, execution: Execution, passes: Mapping[Modality, int]) -> None:
        """A run has made its passes: those of methods that run the towers themselves went through no batch."""
        for tower, made in passes.items():
            self.metrics.count_passes(tower, max(0, made - execution.trail.rows[tower]))

    def _count(self, execution: Execution) -> None:
        job, ending, metrics = execution.job, execution.ending, self.metrics
        metrics.count_run(ending.outcome, ending.code)
        if execution.lease.attempt == 1 and job.metrics.queue_s is not None:
            metrics.count_phase("queue", job.method, job.metrics.queue_s)
        for stretch in execution.trail.phases:
            metrics.count_phase(stretch.phase, job.method, stretch.ended_s - stretch.started_s)


def _attributes(execution: Execution) -> dict[str, str | int | float]:
    """What a span says of a run; never its caption, nor anything else that was sent."""
    job = execution.job
    return {
        "fixlip.job.id": job.id,
        "fixlip.job.attempt": execution.lease.attempt,
        "fixlip.job.method": job.method,
        "fixlip.job.model": job.model.id,
        "fixlip.job.queue_s": job.metrics.queue_s or 0.0,
    }


def _tell_ending(span: Span, execution: Execution) -> None:
    ending = execution.ending
    span.set_attributes({"fixlip.job.outcome": ending.outcome, "fixlip.job.batches": execution.trail.n_batches})
    if ending.code:
        span.set_status(StatusCode.ERROR, ending.code)


def _tell_parts(tracer: Tracer, span: Span, trail: Trail) -> None:
    """The phases of a run and its batches, which are over, as spans below its own."""
    within = set_span_in_context(span)
    zero_ns = time.time_ns() - time.monotonic_ns()  # of the monotonic clock, nanoseconds since 1970
    for stretch in trail.phases:
        started_ns = zero_ns + int(1e9 * stretch.started_s)
        tracer.start_span(stretch.phase, within, start_time=started_ns).end(zero_ns + int(1e9 * stretch.ended_s))
    for part in trail.batches:
        batch, links = part.batch, [Link(other) for other in part.company]
        started_ns = zero_ns + int(1e9 * batch.started_s)
        told = tracer.start_span("batch", within, attributes=_attributes_of(part), links=links, start_time=started_ns)
        told.end(zero_ns + int(1e9 * batch.ended_s))


def _attributes_of(part: BatchPart) -> dict[str, str | int]:
    return {
        "fixlip.batch.tower": part.batch.modality,
        "fixlip.batch.rows": part.batch.rows,
        "fixlip.batch.capacity_rows": part.batch.capacity_rows,
        "fixlip.batch.jobs": len(part.batch.rows_of),
        "fixlip.batch.rows_of_job": part.rows,
    }
