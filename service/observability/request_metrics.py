"""An API process's numbers for Prometheus: what was asked of it, and how that went."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

__all__ = ["PROBLEM_CODE", "RequestMetrics", "route_of"]

PROBLEM_CODE: Final = "problem_code"
"""Where, in a request's state, the code of the problem is that it was answered with."""

REQUEST_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
DECODE_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
OTHER: Final = "other"


def route_of(scope: MutableMapping[str, Any]) -> str:
    """The route that a handled request met, as its template; never the path, of which there are too many."""
    return getattr(scope.get("route"), "path", OTHER)


class RequestMetrics:
    """The numbers of an API process; all threads may add to them.

    Attributes:
        registry: has all of them.
        in_flight: requests that are being handled.
        image_decode_seconds: time that reading a picture takes, and writing it anew.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.in_flight = Gauge(
            "fixlip_http_requests_in_flight",
            "Requests that are being handled, streams included.",
            registry=registry,
        )
        self.image_decode_seconds = Histogram(
            "fixlip_image_decode_seconds",
            "Time that it takes to read a picture that was sent, and to write it anew.",
            buckets=DECODE_BUCKETS_S,
            registry=registry,
        )
        self._requests = Counter(
            "fixlip_http_requests", "Requests that were answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "fixlip_http_request_seconds",
            "Time until a request was answered in full.",
            ["method", "route"],
            buckets=REQUEST_BUCKETS_S,
            registry=registry,
        )
        self._problems = Counter(
            "fixlip_http_problems", "Requests that were answered with a problem.", ["route", "code"], registry=registry
        )
        # Finding a metric by its labels costs more than counting.
        self._bound: dict[tuple[str, str, int | None], tuple[Counter, Histogram]] = {}

    def count(self, scope: MutableMapping[str, Any], status: int | None, seconds: float) -> None:
        """A request was handled; ``status`` is None where its client did not wait for the answer."""
        route = route_of(scope)
        method = scope["method"] if scope["method"] in METHODS else OTHER
        key = method, route, status
        bound = self._bound.get(key)
        if bound is None:
            answered = self._requests.labels(method, route, str(status or "none"))
            bound = self._bound[key] = answered, self._seconds.labels(method, route)
        bound[0].inc()
        bound[1].observe(seconds)
        code = scope["state"].get(PROBLEM_CODE)
        if code is not None:
            self._problems.labels(route, code).inc()
