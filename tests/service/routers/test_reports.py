from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_npz_bytes
from fixlip_core.report import report_document, report_policy
from service import reports
from service.access.keys import KeyStore
from service.access.principal import Scope
from service.app import create_app
from service.backend import Backend
from service.documents.examples import response_examples
from service.jobs.records import JobFailure, JobOutput
from service.reports import ExplanationReport
from service.settings import ServiceSettings
from tests.support.explanations import attribution, example
from tests.support.jobs import png

CAPTION = "a red circle </script><script>alert(1)</script>"
EVALUATION = json.dumps(response_examples("getEvaluation")["200"]).encode()
MADE = ("report.json", "report.html")
PATHS = (*MADE, "view.png")


@pytest.fixture
def done(client: TestClient, image_png: bytes, finish: Callable[..., JobOutput]) -> Callable[..., dict[str, Any]]:
    """Makes a job that has succeeded with an explanation, and files of its own."""

    def done(explanation: Explanation | None = None, **files: bytes) -> dict[str, Any]:
        data = {"caption": CAPTION, "metadata": '{"run": "7"}', "cache": "bypass"}
        job: dict[str, Any] = client.post("/v1/explanations", files={"image": image_png}, data=data).json()
        stored = {"interactions.npz": to_npz_bytes(explanation or example()), "view.png": png()}
        finish(job["id"], stored | {name.replace("_", "."): content for name, content in files.items()})
        return job

    return done


def get(client: TestClient, job: dict[str, Any], path: str, **options: Any) -> Response:
    response: Response = client.get(f"/v1/explanations/{job['id']}/{path}", **options)
    return response


def embedded(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="document">(.*?)</script>', page)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


def test_everything_that_is_drawn(client: TestClient, done: Callable[..., dict[str, Any]]) -> None:
    job = done(evaluation_json=EVALUATION)
    response = client.get(job["urls"]["report_json"])
    assert response.status_code == 200, response.text
    body = response.json()
    expected = report_document(example(), png(), embed_image=False)
    assert (body["format"], body["explanation"], body["image"]) == (1, expected["explanation"], expected["image"])
    assert body["evaluation"] == json.loads(EVALUATION)
    assert body["audit"]["format"] == "fixlip-audit"
    assert body["job"].items() >= {name: job[name] for name in ("id", "model", "params", "input", "metadata")}.items()
    assert body["job"]["completed_at"] is not None
    assert not {"webhook", "request_id", "urls"} & body["job"].keys()
    ExplanationReport.model_validate(body)


def test_without_pairs(client: TestClient, done: Callable[..., dict[str, Any]]) -> None:
    job = done(evaluation_json=EVALUATION)
    short = get(client, job, "report.json?pairs=false").json()
    assert short["explanation"]["pairs"] is None
    assert short["evaluation"]["insertion_deletion"].pop("subsets") is None
    expected = json.loads(EVALUATION)
    assert expected["insertion_deletion"].pop("subsets")
    assert short["evaluation"] == expected
    assert get(client, job, "report.json?pairs=true").json() == get(client, job, "report.json").json()
    assert get(client, done(attribution()), "report.json").json()["explanation"]["pairs"] is None
    refused = get(client, job, "report.json?pairs=1")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "query.pairs")


def test_the_page_has_the_same_and_the_picture(client: TestClient, done: Callable[..., dict[str, Any]]) -> None:
    job = done()
    response = client.get(job["urls"]["report_html"])
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Disposition"] == f'inline; filename="{job["id"]}.html"'
    document = embedded(response.text)
    assert base64.b64decode(document["image"].pop("data_url").partition(",")[2]) == png()
    other = get(client, job, "report.json").json()
    assert other["image"].pop("data_url") is None
    assert document == other


def test_a_page_can_do_no_more_than_its_own_script(client: TestClient, done: Callable[..., dict[str, Any]]) -> None:
    response = get(client, done(), "report.html")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith(report_policy())
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "allow-same-origin" not in policy.partition("sandbox")[2]
    assert "alert(1)</script>" not in response.text


def test_what_the_model_saw(client: TestClient, done: Callable[..., dict[str, Any]]) -> None:
    response = client.get(done()["urls"]["view"])
    assert (response.status_code, response.content, response.headers["Content-Type"]) == (200, png(), "image/png")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["ETag"] == f'"{hashlib.sha256(png()).hexdigest()}"'


@pytest.mark.parametrize("path", [*MADE, "report.json?pairs=false"])
def test_a_copy_that_is_still_good_costs_nothing(
    client: TestClient,
    settings: ServiceSettings,
    done: Callable[..., dict[str, Any]],
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = done()
    first = get(client, job, path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Vary"].startswith("Authorization")
    etag = first.headers["ETag"]
    assert get(client, job, path).content == first.content
    shutil.rmtree(settings.data_dir / "bundles")
    monkeypatch.setattr(reports, "from_npz_bytes", None)
    again = get(client, job, path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"].removeprefix("W/") == etag.removeprefix("W/")


def test_each_report_has_a_name_of_its_own(client: TestClient, done: Callable[..., dict[str, Any]]) -> None:
    job, other = done(), done()
    found = [get(client, job, path) for path in (*MADE, "report.json?pairs=false")] + [get(client, other, MADE[0])]
    assert len({response.headers["ETag"] for response in found}) == 4


def test_an_earlier_jobs_results_are_reported_of_the_later_one(
    client: TestClient, image_png: bytes, finish: Callable[..., JobOutput]
) -> None:
    def submit(**metadata: str) -> dict[str, Any]:
        data = {"caption": CAPTION, "metadata": json.dumps(metadata)}
        job: dict[str, Any] = client.post("/v1/explanations", files={"image": image_png}, data=data).json()
        return job

    earlier = submit(run="1")
    finish(earlier["id"], {"interactions.npz": to_npz_bytes(example()), "view.png": png()})
    later = submit(run="2")
    assert later["cached"]
    client.delete(earlier["urls"]["self"])
    body = get(client, later, "report.json").json()
    assert (body["job"]["id"], body["job"]["cached"], body["job"]["metadata"]) == (later["id"], True, {"run": "2"})
    assert embedded(get(client, later, "report.html").text)["job"] == body["job"]
    assert get(client, later, "view.png").content == png()


@pytest.mark.parametrize("path", PATHS)
def test_before_the_job_has_succeeded_there_is_none(
    client: TestClient, backend: Backend, submit: Callable[[], str], path: str
) -> None:
    job = {"id": submit()}
    queued = get(client, job, path)
    claim = backend.repository.claim(job["id"], "w1", ttl_s=60)
    assert claim is not None
    backend.repository.fail(claim.lease, JobFailure(code="c", detail="it broke"))
    failed = get(client, job, path)
    assert [(response.status_code, response.json()["code"]) for response in (queued, failed)] == [
        (409, "result_not_ready"),
        (409, "no_result"),
    ]
    assert get(client, {"id": "f" * 32}, path).json()["code"] == "job_not_found"


@pytest.mark.parametrize("path", PATHS)
def test_another_tenants_is_not_there(
    settings: ServiceSettings, backend: Backend, done: Callable[..., dict[str, Any]], path: str
) -> None:
    _, key = KeyStore(backend.redis).create("stranger", [Scope.READ])
    app = create_app(settings.model_copy(update={"auth": "keys"}))
    stranger = TestClient(app, headers={"Authorization": f"Bearer {key}"})
    response = get(stranger, done(), path)
    assert (response.status_code, response.json()["code"]) == (404, "job_not_found")


@pytest.mark.parametrize(
    "damaged", [{"interactions_npz": b"PK\x03\x04 npz"}, {"view_png": b"\x89PNG view"}, {"evaluation_json": b"{"}]
)
@pytest.mark.parametrize("path", MADE)
def test_damaged_files_are_the_stores_fault(
    client: TestClient, done: Callable[..., dict[str, Any]], path: str, damaged: dict[str, bytes]
) -> None:
    response = get(client, done(**damaged), path)
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize("path", PATHS)
def test_lost_files_are_not_there(
    client: TestClient, settings: ServiceSettings, done: Callable[..., dict[str, Any]], path: str
) -> None:
    job = done()
    shutil.rmtree(settings.data_dir / "bundles")
    response = get(client, job, path)
    assert (response.status_code, response.json()["code"]) == (404, "artifact_not_found")


def test_behind_a_prefix_the_page_is_found(settings: ServiceSettings, submit: Callable[[], str]) -> None:
    with TestClient(create_app(settings), root_path="/explain") as behind:
        job = behind.get(f"/explain/v1/explanations/{submit()}").json()
    assert job["urls"]["page"] == f"/explain/#/explanations/{job['id']}"
    assert job["urls"]["report_html"] == f"/explain/v1/explanations/{job['id']}/report.html"
