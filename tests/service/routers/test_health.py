from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from anyio import to_thread
from fastapi.testclient import TestClient

from fixlip_core.encoders.card import ModelCard
from service.app import create_app
from service.backend import Backend
from service.jobs.storage.bundles import BundleStore
from service.settings import ServiceSettings


def test_all_is_well(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "ok", "checks": {}}
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"redis": "ok", "storage": "ok", "workers": "ok"}}


def test_without_a_worker_the_service_is_not_ready(client: TestClient, backend: Backend) -> None:
    backend.catalogue.withdraw("w1")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "Retry-After" in response.headers
    problem = response.json()
    assert (problem["code"], [error["field"] for error in problem["errors"]]) == ("not_ready", ["workers"])


def test_without_redis_and_storage_the_service_lives_and_names_both(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings = ServiceSettings(redis_url=f"unix://{tmp_path}/none.sock", data_dir=tmp_path / "file")

    with TestClient(create_app(settings)) as client:
        assert client.get("/livez").status_code == 200
        response = client.get("/readyz")

    assert response.status_code == 503
    assert [error["field"] for error in response.json()["errors"]] == ["redis", "storage", "workers"]


def test_the_process_lives_though_all_its_threads_are_waiting(client: TestClient) -> None:
    end = threading.Event()

    async def occupy_all_threads() -> None:
        to_thread.current_default_thread_limiter().total_tokens = 1
        await to_thread.run_sync(end.wait, 5.0)

    assert client.portal is not None
    waiting = client.portal.start_task_soon(occupy_all_threads)
    assert client.get("/livez").status_code == 200
    assert not waiting.done()
    end.set()


def test_readiness_for_one_model_needs_a_worker_that_serves_it(
    client: TestClient, backend: Backend, card: ModelCard
) -> None:
    backend.catalogue.announce(replace(card, id="ViT-B-32/openai").to_dict(), "w2", ttl_s=600)
    assert client.get("/readyz", params={"model": "ViT-B-32/openai"}).status_code == 200
    backend.catalogue.withdraw("w2")

    response = client.get("/readyz", params={"model": "ViT-B-32/openai"})

    assert response.status_code == 503
    (error,) = response.json()["errors"]
    assert (error["field"], error["message"]) == ("workers", "no worker of model 'ViT-B-32/openai' is alive")
    assert client.get("/readyz", params={"model": "none"}).status_code == 503
    assert client.get("/readyz").status_code == 200


def test_the_store_is_not_written_to_for_every_question(
    client: TestClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes = []
    monkeypatch.setattr(BundleStore, "probe", lambda self: probes.append(self))

    assert [client.get("/readyz").status_code for _ in range(3)] == [200] * 3

    assert len(probes) == 1
    backend.readiness.keep("storage", "the store is full")
    assert [error["field"] for error in client.get("/readyz").json()["errors"]] == ["storage"]
