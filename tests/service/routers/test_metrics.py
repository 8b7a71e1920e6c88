from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi.testclient import TestClient

from service.app import create_app
from service.backend import Backend
from service.jobs.rates import Pace, Rates
from service.settings import ServiceSettings
from tests.support.metrics import Sample, of, samples


def scrape(client: TestClient) -> Mapping[Sample, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(response.text)


def of_the_service(found: Mapping[Sample, float]) -> Mapping[Sample, float]:
    own = ("fixlip_http_", "fixlip_image_", "process_")
    return {sample: value for sample, value in found.items() if not sample[0].startswith(own)}


def test_an_idle_service_has_nothing_but_its_workers(client: TestClient) -> None:
    assert of_the_service(scrape(client)) == {
        of("fixlip_jobs", status="queued"): 0,
        of("fixlip_jobs", status="running"): 0,
        of("fixlip_jobs", status="delayed"): 0,
        of("fixlip_queued_forward_passes"): 0,
        of("fixlip_oldest_queued_age_seconds"): 0,
        of("fixlip_live_workers", model="demo"): 1,
        of("fixlip_passes_per_second"): 0,
        of("fixlip_redis_up"): 1,
    }


def test_jobs_are_counted_where_they_stand(client: TestClient, backend: Backend, submit: Callable[[], str]) -> None:
    ids = [submit() for _ in range(6)]
    claims = [backend.repository.claim(job_id, "w1", ttl_s=60) for job_id in ids[:3]]
    assert claims[2] is not None
    backend.repository.retry_later(claims[2].lease, delay_s=60)
    client.post(f"/v1/explanations/{ids[3]}/cancel")
    backend.catalogue.withdraw("w1")

    found = scrape(client)

    numbers = {status: found[of("fixlip_jobs", status=status)] for status in ("queued", "running", "delayed")}
    assert numbers == {"queued": 2, "running": 2, "delayed": 1}
    assert found[of("fixlip_queued_forward_passes")] == 3 * 514
    assert 0 < found[of("fixlip_oldest_queued_age_seconds")] < 60
    assert found[of("fixlip_live_workers", model="demo")] == 0


def test_the_fleets_pace_is_what_workers_report(client: TestClient, backend: Backend) -> None:
    rates = Rates(backend.redis, backend.settings.key_prefix)
    rates.report("w1", Pace(slots=2, passes_per_s=120.0, device_passes_per_s=150.0), ttl_s=60)
    assert scrape(client)[of("fixlip_passes_per_second")] == 120


def test_requests_are_counted_by_their_route_and_never_by_their_path(
    client: TestClient, submit: Callable[[], str]
) -> None:
    job_id, route = submit(), "/v1/explanations/{explanation_id}"
    client.get(f"/v1/explanations/{job_id}")
    for name in ("none", "other"):
        client.get(f"/v1/explanations/{name}")
    client.request("BREW", "/a/path/that/nobody/knows")

    found = scrape(client)

    assert found[of("fixlip_http_requests_total", method="POST", route="/v1/explanations", status="202")] == 1
    assert found[of("fixlip_http_requests_total", method="GET", route=route, status="200")] == 1
    assert found[of("fixlip_http_requests_total", method="GET", route=route, status="404")] == 2
    assert found[of("fixlip_http_requests_total", method="other", route="other", status="404")] == 1
    assert found[of("fixlip_http_problems_total", route=route, code="job_not_found")] == 2
    assert found[of("fixlip_http_request_seconds_count", method="GET", route=route)] == 3
    assert found[of("fixlip_http_requests_in_flight")] == 1  # the scrape itself
    assert found[of("fixlip_image_decode_seconds_count")] == 1
    assert job_id not in client.get("/metrics").text


def test_refused_submissions_are_counted_by_their_code(client: TestClient, image_png: bytes) -> None:
    for caption in ("", "a red circle " * 200):
        client.post("/v1/explanations", files={"image": image_png}, data={"caption": caption})
    client.post("/v1/explanations", files={"image": b"no picture"}, data={"caption": "a circle"})
    client.post("/v1/explanations", headers={"Content-Length": "9" * 12})

    found = scrape(client)

    refused = {
        dict(labels)["code"]: value
        for (name, labels), value in found.items()
        if name == "fixlip_http_problems_total" and ("route", "/v1/explanations") in labels
    }
    assert refused["image_undecodable"] == 1
    assert sum(refused.values()) == 3
    assert found[of("fixlip_http_problems_total", route="other", code="body_too_large")] == 1


def test_without_redis_there_are_the_process_s_own_numbers(tmp_path: Path) -> None:
    settings = ServiceSettings(redis_url=f"unix://{tmp_path}/none.sock", data_dir=tmp_path / "data", auth="none")
    with TestClient(create_app(settings)) as client:
        client.get("/v1/models")
        found = scrape(client)

    assert of_the_service(found) == {of("fixlip_redis_up"): 0}
    assert found[of("fixlip_http_problems_total", route="/v1/models", code="redis_unavailable")] == 1
