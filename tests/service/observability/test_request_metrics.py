from __future__ import annotations

from typing import Any

from prometheus_client import generate_latest

from service.observability.request_metrics import PROBLEM_CODE, RequestMetrics, route_of
from tests.support.metrics import of, samples


class Route:
    path = "/v1/things/{name}"


def scope(method: str = "GET", *, code: str | None = None, route: object = None) -> dict[str, Any]:
    state = {} if code is None else {PROBLEM_CODE: code}
    return {"method": method, "path": "/v1/things/7", "state": state, **({"route": route} if route else {})}


def test_a_route_is_a_template_or_nothing() -> None:
    assert route_of(scope(route=Route())) == "/v1/things/{name}"
    assert route_of(scope()) == "other"


def test_labels_are_bounded() -> None:
    metrics = RequestMetrics()
    for number in range(50):
        metrics.count(scope(f"M{number}") | {"path": f"/{number}"}, 404, 0.01)
    found = samples(generate_latest(metrics.registry).decode())
    assert found[of("fixlip_http_requests_total", method="other", route="other", status="404")] == 50
    assert len([name for name, _ in found if name == "fixlip_http_requests_total"]) == 1


def test_a_client_that_has_gone_has_no_status() -> None:
    metrics = RequestMetrics()
    metrics.count(scope(route=Route()), None, 0.01)
    found = samples(generate_latest(metrics.registry).decode())
    assert found[of("fixlip_http_requests_total", method="GET", route=Route.path, status="none")] == 1


def test_a_problem_is_counted_beside_its_request() -> None:
    metrics = RequestMetrics()
    metrics.count(scope("POST", route=Route(), code="queue_full"), 503, 2.0)
    metrics.count(scope("POST", route=Route()), 202, 0.02)
    found = samples(generate_latest(metrics.registry).decode())
    assert found[of("fixlip_http_problems_total", route=Route.path, code="queue_full")] == 1
    assert found[of("fixlip_http_request_seconds_count", method="POST", route=Route.path)] == 2
    assert found[of("fixlip_http_request_seconds_bucket", method="POST", route=Route.path, le="0.025")] == 1
