"""What waits, what runs and who works, for a monitoring system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from service.backend import Backend, BackendDep
from service.routers._responses import problems

__all__ = ["router"]

router: Final = APIRouter(tags=["health"])


class _QueueCollector(Collector):
    """Numbers that Redis has, asked for at each scrape: they are the same whichever API process is asked."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as they are now; may raise ``redis.RedisError``."""
        state = self._backend.repository.queue_state()
        jobs = GaugeMetricFamily("fixlip_jobs", "Jobs that have not ended.", labels=["status"])
        for status, number in (("queued", state.queued), ("running", state.running), ("delayed", state.delayed)):
            jobs.add_metric([status], number)
        yield jobs
        yield GaugeMetricFamily(
            "fixlip_queued_forward_passes",
            "Forward passes that queued and delayed jobs are expected to take.",
            value=state.queued_passes,
        )
        yield GaugeMetricFamily(
            "fixlip_oldest_queued_age_seconds", "Age of the oldest queued job.", value=state.oldest_age_s
        )
        catalogue = self._backend.catalogue
        workers = GaugeMetricFamily("fixlip_live_workers", "Workers alive that serve the model.", labels=["model"])
        for model_id, number in catalogue.live_workers_of(catalogue.cards()).items():
            workers.add_metric([model_id], number)
        yield workers


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Read the metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems({503: "Redis does not answer."}),
    },
)
def get_metrics(backend: BackendDep) -> Response:
    """How many jobs wait and run, the forward passes that wait, how long the oldest has, and who serves which model."""
    return Response(generate_latest(_QueueCollector(backend)), media_type=CONTENT_TYPE_PLAIN_0_0_4)
