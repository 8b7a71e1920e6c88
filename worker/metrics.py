"""A worker process's numbers for Prometheus: counted where it happens, or asked for at the scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fixlip_core.batching import BatcherStatistics, BatchRun, Modality
from fixlip_core.errors import FixlipError

__all__ = ["MetricsPortError", "Sources", "WorkerMetrics"]

PHASE_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
BATCH_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class MetricsPortError(FixlipError):
    """The metrics cannot be served where they should be."""

    code = "metrics_port_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What is asked at each scrape.

    Attributes:
        statistics: what the batcher has done.
        running: how many jobs run.
        models_bytes: what the weights of each loaded model take.
        device_bytes: see :func:`fixlip_core.batching.memory_bytes`.
    """

    statistics: Callable[[], BatcherStatistics]
    running: Callable[[], int]
    models_bytes: Callable[[], Mapping[str, int]]
    device_bytes: Callable[[], Mapping[str, int]]


class WorkerMetrics:
    """The numbers of a worker process; all threads may add to them.

    Attributes:
        registry: has all of them.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._phases = Histogram(
            "fixlip_worker_phase_seconds",
            "What jobs spend their time on: queue, inputs, model, passes, solve, render, store.",
            ["phase", "method"],
            buckets=PHASE_BUCKETS_S,
            registry=registry,
        )
        self._runs = Counter(
            "fixlip_worker_runs",
            "Runs of jobs that are over, by what became of them; failures and retries have a code.",
            ["outcome", "code"],
            registry=registry,
        )
        passes = Counter("fixlip_worker_forward_passes", "Forward passes made.", ["tower"], registry=registry)
        seconds = Histogram(
            "fixlip_worker_batch_seconds",
            "Time that a batch had the device.",
            ["tower"],
            buckets=BATCH_BUCKETS_S,
            registry=registry,
        )
        towers: tuple[Modality, ...] = ("image", "text")
        self._passes = {tower: passes.labels(tower) for tower in towers}
        self._batches = {tower: seconds.labels(tower) for tower in towers}
        self._heard_s = monotonic()

    def ask(self, sources: Sources) -> None:
        """Ask these, too, from now on."""
        self.registry.register(_Asked(sources, heard_s=lambda: self._heard_s))

    def serve(self, host: str, port: int) -> None:
        """Answer Prometheus, in threads of its own that end with the process.

        Raises:
            MetricsPortError: something else listens there, or the address is not this machine's.
        """
        try:
            start_http_server(port, host, self.registry)
        except OSError as error:
            reason = error.strerror or error
            raise MetricsPortError(f"FIXLIP_METRICS_PORT: cannot listen on {host} port {port}: {reason}") from error

    def count_batch(self, batch: BatchRun) -> None:
        """A batch was run."""
        self._passes[batch.modality].inc(batch.rows)
        self._batches[batch.modality].observe(batch.ended_s - batch.started_s)

    def count_passes(self, tower: Modality, passes: int) -> None:
        """A method ran a tower itself."""
        self._passes[tower].inc(passes)

    def count_phase(self, phase: str, method: str, seconds: float) -> None:
        """A job went through a phase."""
        self._phases.labels(phase, method).observe(seconds)

    def count_run(self, outcome: str, code: str) -> None:
        """A run is over."""
        self._runs.labels(outcome, code).inc()

    def beat(self) -> None:
        """A heartbeat has arrived."""
        self._heard_s = monotonic()


class _Asked(Collector):
    def __init__(self, sources: Sources, *, heard_s: Callable[[], float]) -> None:
        self._sources = sources
        self._heard_s = heard_s

    def collect(self) -> Iterator[Metric]:
        """The numbers as they are now."""
        done = self._sources.statistics()
        for name, text, value in (
            ("batch_rows", "Rows in all batches.", done.rows),
            ("batch_capacity_rows", "Rows that would have filled all batches.", done.capacity_rows),
            ("device_busy_seconds", "Time in which the device had a batch or a turn.", done.busy_s),
            ("memory_halvings", "Times that a batch was halved because memory ran out.", done.oom_halvings),
        ):
            yield CounterMetricFamily(f"fixlip_worker_{name}", text, value=value)
        yield GaugeMetricFamily("fixlip_worker_running_jobs", "Jobs that run now.", value=self._sources.running())
        silent_s = monotonic() - self._heard_s()
        yield GaugeMetricFamily("fixlip_worker_heartbeat_age_seconds", "Time since the last heartbeat.", value=silent_s)
        yield _by("fixlip_worker_model_bytes", "Weights of a loaded model.", "model", self._sources.models_bytes())
        yield _by("fixlip_worker_device_bytes", "Memory of the GPU.", "kind", self._sources.device_bytes())


def _by(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
