"""The metrics that the API and a worker really have, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from fastapi.testclient import TestClient
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fixlip_core.batching import BatcherStatistics
from service.app import create_app
from service.settings import ServiceSettings
from worker.metrics import Sources, WorkerMetrics

__all__ = ["Sample", "api_metrics", "of", "samples", "worker_metrics"]

Sample = tuple[str, frozenset[tuple[str, str]]]


def of(name: str, **labels: str) -> Sample:
    """A sample's name and labels."""
    return name, frozenset(labels.items())


def samples(text: str) -> Mapping[Sample, float]:
    """What an answer to Prometheus says; every metric has a text, and is there once."""
    found: dict[Sample, float] = {}
    seen = set()
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.name not in seen
        seen.add(family.name)
        found.update({of(sample.name, **sample.labels): sample.value for sample in family.samples})
    return found


@cache
def api_metrics(redis_url: str) -> frozenset[str]:
    """What ``GET /metrics`` answers: names, also of metrics without values, and samples with their labels."""
    with TestClient(create_app(ServiceSettings(redis_url=redis_url))) as client:
        return _names(client.get("/metrics").raise_for_status().text)


@cache
def worker_metrics() -> frozenset[str]:
    """What a worker answers, likewise."""
    metrics = WorkerMetrics()
    metrics.ask(Sources(statistics=BatcherStatistics, running=int, models_bytes=dict, device_bytes=dict))
    return _names(generate_latest(metrics.registry).decode())


def _names(text: str) -> frozenset[str]:
    families = list(text_string_to_metric_families(text))
    names = {family.name for family in families}
    counters = {f"{family.name}_total" for family in families if family.type == "counter"}
    parts = {f"{family.name}_{part}" for family in families if family.type == "histogram" for part in _PARTS}
    labelled = {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    return frozenset(names | counters | parts | labelled)


_PARTS = ("bucket", "count", "sum")
