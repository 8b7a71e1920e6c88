"""What was asked of this process, what waits, what runs and who works, for a monitoring system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import structlog
from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from redis import RedisError

from service.backend import Backend, BackendDep
from service.routers._responses import problems

__all__ = ["router"]

router: Final = APIRouter(tags=["health"])

_log = structlog.get_logger(__name__)


class _QueueCollector(Collector):
    """Numbers that Redis has, asked for at each scrape: they are the same whichever API process is asked.

    Where Redis does not answer there are none of them, rather than old ones, and the process's own numbers are there.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics as they are now."""
        try:
            found = [*self._waiting(), *self._working()]
        except RedisError as error:
            _log.warning("redis_unavailable", error=str(error))
            found = []
        yield from found
        yield GaugeMetricFamily("fixlip_redis_up", "Whether Redis answers this process.", value=bool(found))

    def _waiting(self) -> Iterator[GaugeMetricFamily]:
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

    def _working(self) -> Iterator[GaugeMetricFamily]:
        catalogue = self._backend.catalogue
        workers = GaugeMetricFamily("fixlip_live_workers", "Workers alive that serve the model.", labels=["model"])
        for model_id, number in catalogue.live_workers_of(catalogue.cards()).items():
            workers.add_metric([model_id], number)
        yield workers
        yield GaugeMetricFamily(
            "fixlip_passes_per_second",
            "Forward passes of all workers together while they have jobs, as measured of late.",
            value=self._backend.estimator.traffic().passes_per_s,
        )


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Read the metrics",
    response_class=Response,
    responses={
        200: {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems({}),
    },
)
def get_metrics(backend: BackendDep) -> Response:
    """The requests of this process; and of the service all that waits, what runs, who serves which model, and how fast.

    Where Redis does not answer, `fixlip_redis_up` is 0 and what is of the service is left out.
    """
    text = generate_latest(backend.metrics.registry) + generate_latest(_QueueCollector(backend))
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)
