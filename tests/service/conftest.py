from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from fixlip_core.encoders.card import ModelCard
from service.app import create_app
from service.backend import Backend
from service.documents.examples import response_examples
from service.jobs.records import JobInput, JobMetrics, JobModel, JobOutput, JobResult, MapInfo, TopInteraction
from service.settings import ServiceSettings
from tests.support.documented import documented

CAPTION = "a red circle and a blue square"
FILES = {
    "interactions.npz": b"PK\x03\x04 npz",
    "interactions.json": b'{"interactions": {}}',
    "audit.json": json.dumps(response_examples("getAuditRecord")["200"]).encode(),
    "maps/first-order.png": b"\x89PNG first",
    "maps/token-0.png": b"\x89PNG token",
    "maps/first-order.svg": b"<svg>first</svg>",
    "view.png": b"\x89PNG view",
}


@pytest.fixture(scope="session")
def image_png() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        id="demo",
        weights_sha256="0123456789abcdef" * 4,
        family="clip",
        embed_dim=128,
        grid=(8, 8),
        image_size_px=(128, 128),
        context_length=40,
        n_marks=2,
        tokenizer="clip-bpe",
        attention=True,
        logit_scale=100.0,
        logit_bias=0.0,
        precision="fp32",
        device="cpu",
    )


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> ServiceSettings:
    """Everybody is let in, as a test's client is on no machine; tests/service/access is about who is."""
    return ServiceSettings(redis_url=redis_url, data_dir=tmp_path / "data", max_budget=1024, auth="none")


@pytest.fixture
def app(settings: ServiceSettings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def backend(app: FastAPI, card: ModelCard) -> Backend:
    """The application's backend, with one live worker that serves the demo model."""
    backend: Backend = app.state.backend
    backend.catalogue.announce(card.to_dict(), "w1", ttl_s=600)
    return backend


@pytest.fixture
def client(app: FastAPI, backend: Backend) -> Iterator[TestClient]:
    with TestClient(app) as client:
        client.event_hooks["response"].append(documented())
        yield client


@pytest.fixture
def submit(client: TestClient, image_png: bytes) -> Callable[[], str]:
    """Submits a good request; gives the job's id."""

    def submit() -> str:
        response = client.post("/v1/explanations", files={"image": image_png}, data={"caption": CAPTION})
        assert response.status_code == 202, response.text
        job_id: str = response.json()["id"]
        return job_id

    return submit


@pytest.fixture
def finish(backend: Backend) -> Callable[..., JobOutput]:
    """Does what a worker does: claims the job, writes its results, with other ``files`` among them, and ends it."""

    def finish(job_id: str, files: Mapping[str, bytes] = MappingProxyType({})) -> JobOutput:
        output = JobOutput(
            index="WFBII",
            order=2,
            tokens=("red", "circle"),
            grid=(8, 8),
            empty_value=0.5,
            full_value=9.25,
            baseline=0.75,
            estimated_r2=0.99,
            image_passes=512,
            text_passes=64,
            maps=(MapInfo(name="first-order", title="First order"), MapInfo(name="token-0", title="red")),
            top_interactions=(TopInteraction(labels=("r3c5", "red"), players=(29, 64), value=1.5, std_error=0.25),),
        )
        claim = backend.repository.claim(job_id, "w1", ttl_s=60)
        assert claim is not None
        job, lease = claim.job, claim.lease
        result = JobResult(
            **dict(output),
            model=JobModel(id="demo", revision="sha256:0123456789abcdef"),
            method=job.method,
            params=job.params,
            input=JobInput(image_sha256=job.input.image_sha256, caption=job.input.caption),
            provenance={"seed": 0, "device": "cpu"},
        )
        results = backend.bundles.add({**FILES, "result.json": result.model_dump_json().encode(), **files})
        metrics = JobMetrics(run_s=1.0, forward_passes=576)
        assert backend.repository.succeed(lease, output, metrics, results=results)
        return output

    return finish


@pytest.fixture
def assert_nothing_left(backend: Backend) -> Callable[[], None]:
    """Fails if any job has a record, a place in the queue or a file."""

    def check() -> None:
        announcements = {b"fixlip:models", b"fixlip:models:announced", b"fixlip:workers", b"fixlip:workers:demo"}
        assert set(backend.redis.keys()) == announcements
        assert [path for path in backend.settings.data_dir.rglob("*") if path.is_file() or "jobs/" in str(path)] == []

    return check
