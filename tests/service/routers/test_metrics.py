from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.backend import Backend
from service.settings import ServiceSettings

Sample = tuple[str, frozenset[tuple[str, str]]]


def scrape(client: TestClient) -> dict[Sample, float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return dict(samples(response.text))


def samples(text: str) -> Iterator[tuple[Sample, float]]:
    for family in text_string_to_metric_families(text):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            yield (sample.name, frozenset(sample.labels.items())), sample.value


def of(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def test_an_idle_service_has_nothing_but_its_workers(client: TestClient) -> None:
    assert scrape(client) == {
        of("fixlip_jobs", status="queued"): 0,
        of("fixlip_jobs", status="running"): 0,
        of("fixlip_jobs", status="delayed"): 0,
        of("fixlip_queued_forward_passes"): 0,
        of("fixlip_oldest_queued_age_seconds"): 0,
        of("fixlip_live_workers", model="demo"): 1,
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


@pytest.mark.parametrize("path", ["/metrics"])
def test_without_redis_there_are_no_numbers(tmp_path: Path, path: str) -> None:
    settings = ServiceSettings(redis_url=f"unix://{tmp_path}/none.sock", data_dir=tmp_path / "data")
    with TestClient(create_app(settings)) as client:
        response = client.get(path)

    assert (response.status_code, response.json()["code"]) == (503, "redis_unavailable")
    assert response.headers["Content-Type"] == "application/problem+json"
