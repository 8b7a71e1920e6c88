from __future__ import annotations

import socket
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fixlip.stack import listen
from fixlip_core.batching import BatcherStatistics, BatchRun, memory_bytes
from tests.support.metrics import Sample, of, samples
from worker.metrics import MetricsPortError, Sources, WorkerMetrics


def scrape(metrics: WorkerMetrics) -> Mapping[Sample, float]:
    return samples(generate_latest(metrics.registry).decode())


def sources(**changes: object) -> Sources:
    given = {
        "statistics": BatcherStatistics,
        "running": lambda: 0,
        "models_bytes": dict,
        "device_bytes": dict,
        **changes,
    }
    return Sources(**given)  # type: ignore[arg-type]  # they are callables of these kinds


def test_a_batch_counts_for_its_tower() -> None:
    metrics = WorkerMetrics()
    for modality, rows in (("image", {"a": 8, "b": 4}), ("image", {"a": 1}), ("text", {"b": 5})):
        run = BatchRun(modality=modality, rows_of=rows, capacity_rows=16, started_s=1.0, ended_s=1.5)  # type: ignore[arg-type]
        metrics.count_batch(run)
    metrics.count_passes("text", 100)
    found = scrape(metrics)
    assert found[of("fixlip_worker_forward_passes_total", tower="image")] == 13
    assert found[of("fixlip_worker_forward_passes_total", tower="text")] == 105
    assert found[of("fixlip_worker_batch_seconds_count", tower="image")] == 2
    assert found[of("fixlip_worker_batch_seconds_sum", tower="image")] == 1.0


def test_what_is_asked_is_asked_at_each_scrape() -> None:
    done = [BatcherStatistics(batches=2, rows=12, capacity_rows=16, busy_s=1.5, oom_halvings=1)]
    metrics = WorkerMetrics()
    metrics.ask(sources(statistics=lambda: done[-1], running=lambda: len(done), models_bytes=lambda: {"demo": 100}))
    found = scrape(metrics)
    assert found[of("fixlip_worker_batch_rows_total")] == 12
    assert found[of("fixlip_worker_batch_capacity_rows_total")] == 16
    assert found[of("fixlip_worker_device_busy_seconds_total")] == 1.5
    assert found[of("fixlip_worker_memory_halvings_total")] == 1
    assert found[of("fixlip_worker_model_bytes", model="demo")] == 100
    assert found[of("fixlip_worker_running_jobs")] == 1
    done.append(BatcherStatistics(rows=20))
    again = scrape(metrics)
    assert (again[of("fixlip_worker_batch_rows_total")], again[of("fixlip_worker_running_jobs")]) == (20, 2)


def test_the_heartbeats_age_grows_until_the_next() -> None:
    metrics = WorkerMetrics()
    metrics.ask(sources())
    age = of("fixlip_worker_heartbeat_age_seconds")
    first, second = scrape(metrics)[age], scrape(metrics)[age]
    assert 0 <= first < second
    metrics.beat()
    assert scrape(metrics)[age] < second


def test_a_gpu_s_memory_has_kinds() -> None:
    metrics = WorkerMetrics()
    metrics.ask(sources(device_bytes=lambda: {"used": 10, "total": 80}))
    found = scrape(metrics)
    assert (
        found[of("fixlip_worker_device_bytes", kind="used")],
        found[of("fixlip_worker_device_bytes", kind="total")],
    ) == (10, 80)


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_without_a_gpu_in_use_there_is_no_memory_of_one(device: str) -> None:
    assert memory_bytes(device) == {}


def test_it_is_served_and_says_so_when_it_cannot_be() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MetricsPortError, match=f"FIXLIP_METRICS_PORT: cannot listen on 127.0.0.1 port {port}"):
            WorkerMetrics().serve("127.0.0.1", port)
    metrics = WorkerMetrics()
    metrics.serve("127.0.0.1", port)
    metrics.count_run("failed", "out_of_memory")
    answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
    (runs,) = (family for family in text_string_to_metric_families(answer.text) if family.name == "fixlip_worker_runs")
    assert {(sample.labels["outcome"], sample.labels["code"]) for sample in runs.samples if sample.value == 1} == {
        ("failed", "out_of_memory")
    }
    with socket.socket() as probe:
        probe.connect(("127.0.0.1", port))
