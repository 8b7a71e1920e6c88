from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageChops

from fixlip_core.methods import FixlipParameters
from service.backend import Backend
from service.jobs.inputs import IMAGE
from service.jobs.leases import Lease
from service.jobs.records import JobFailure, JobOutput, JobProgress
from service.views import ExplanationJob

CAPTION = "a red circle and a blue square"


def begin(backend: Backend, job_id: str) -> Lease:
    claim = backend.repository.claim(job_id, "w1", ttl_s=60)
    assert claim is not None
    return claim.lease


def test_a_form_is_queued_as_a_job(client: TestClient, backend: Backend, image_png: bytes) -> None:
    response = client.post(
        "/v1/explanations",
        files={"image": ("scene.png", image_png, "image/png")},
        data={
            "caption": CAPTION,
            "model": "demo",
            "method": "fixlip",
            "params": json.dumps({"p": 0.3, "budget": 64, "seed": 7}),
            "metadata": json.dumps({"run": "7"}),
        },
    )

    assert response.status_code == 202
    job = response.json()
    path = f"/v1/explanations/{job['id']}"
    assert response.headers["Location"] == path
    assert int(response.headers["Retry-After"]) >= 1
    assert job["status"] == "queued"
    assert job["model"] == {"id": "demo", "revision": "sha256:0123456789abcdef"}
    assert job["params"].keys() == FixlipParameters.model_fields.keys()
    assert job["params"].items() >= {"p": 0.3, "order": 2, "budget": 64, "estimator": "gp", "seed": 7}.items()
    assert job["input"] == {"image_sha256": hashlib.sha256(image_png).hexdigest(), "caption": CAPTION}
    assert job["progress"] == {"completed": 0, "total": 0, "unit": "forward_passes"}
    assert job["metrics"] == {"queue_s": None, "run_s": None, "forward_passes": None, "evaluation_passes": None}
    assert (job["output"], job["error"], job["expires_at"]) == (None,) * 3
    assert (job["started_at"], job["cancel_requested_at"], job["completed_at"]) == (None,) * 3
    assert job["attempt"] == 0
    assert job["created_at"].endswith("Z")
    assert job["metadata"] == {"run": "7"}
    assert job["urls"] == {
        "self": path,
        "cancel": f"{path}/cancel",
        "page": f"/#/explanations/{job['id']}",
        "result": f"{path}/result",
        "report_json": f"{path}/report.json",
        "report_html": f"{path}/report.html",
        "view": f"{path}/view.png",
        "audit": f"{path}/audit.json",
        "evaluation": None,
        "interactions_npz": f"{path}/interactions.npz",
        "interactions_json": f"{path}/interactions.json",
        "maps": {},
        "maps_svg": {},
    }
    assert backend.queue.depth() == 1
    assert client.get(path).json() == job


def test_json_and_a_form_of_the_same_pair_give_the_same_job(client: TestClient, image_png: bytes) -> None:
    form = client.post("/v1/explanations", files={"image": image_png}, data={"caption": CAPTION}).json()
    body = {"image": base64.b64encode(image_png).decode(), "caption": CAPTION}
    posted = client.post("/v1/explanations", json=body)

    assert posted.status_code == 202
    own = {"id", "created_at", "urls", "request_id"}
    assert {k: v for k, v in posted.json().items() if k not in own} == {k: v for k, v in form.items() if k not in own}


def test_workers_find_the_picture_in_the_store(submit: Callable[[], str], backend: Backend, image_png: bytes) -> None:
    claim = backend.repository.claim(submit(), "w1", ttl_s=60)

    assert claim is not None
    assert claim.inputs is not None
    stored = Image.open(io.BytesIO(backend.bundles.read(claim.inputs)[IMAGE]), formats=["BMP"])
    assert stored.mode == "RGB"
    assert ImageChops.difference(stored, Image.open(io.BytesIO(image_png))).getbbox() is None


def test_a_job_that_has_ended_can_be_deleted(
    client: TestClient, submit: Callable[[], str], finish: Callable[[str], JobOutput], backend: Backend
) -> None:
    job_id = submit()
    finish(job_id)
    url = f"/v1/explanations/{job_id}"

    answer = client.delete(url)

    assert (answer.status_code, answer.content) == (204, b"")
    for again in (client.delete(url), client.get(url), client.get(f"{url}/result")):
        assert (again.status_code, again.json()["code"]) == (404, "job_not_found")
    assert backend.repository.stored_bytes("default") == 0


def test_a_job_that_is_open_cannot_be_deleted(client: TestClient, submit: Callable[[], str], backend: Backend) -> None:
    job_id = submit()
    queued = client.delete(f"/v1/explanations/{job_id}")
    begin(backend, job_id)
    running = client.delete(f"/v1/explanations/{job_id}")

    for answer, status in ((queued, "queued"), (running, "running")):
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["job_status"]) == (409, "job_open", status)
    assert client.get(f"/v1/explanations/{job_id}").status_code == 200


def test_a_running_job_shows_its_progress(client: TestClient, submit: Callable[[], str], backend: Backend) -> None:
    job_id = submit()
    lease = begin(backend, job_id)
    backend.repository.renew([lease], ttl_s=60, progress={lease: JobProgress(completed=128, total=576)})

    response = client.get(f"/v1/explanations/{job_id}")

    assert response.headers["Retry-After"] == "1"
    assert response.json()["status"] == "running"
    assert response.json()["progress"] == {"completed": 128, "total": 576, "unit": "forward_passes"}
    assert response.json()["started_at"] is not None


def test_a_succeeded_job_shows_its_outcome_and_links_its_maps(
    client: TestClient, submit: Callable[[], str], finish: Callable[[str], JobOutput]
) -> None:
    job_id = submit()
    output = finish(job_id)

    response = client.get(f"/v1/explanations/{job_id}")

    assert response.status_code == 200
    assert "Retry-After" not in response.headers
    job = response.json()
    assert (job["status"], job["output"]) == ("succeeded", output.model_dump(mode="json"))
    assert job["urls"]["maps"]["token-0"] == f"/v1/explanations/{job_id}/maps/token-0.png"
    assert job["metrics"]["forward_passes"] == 576
    assert job["completed_at"] is not None


def test_a_failed_job_is_found_with_its_error(client: TestClient, submit: Callable[[], str], backend: Backend) -> None:
    job_id = submit()
    backend.repository.fail(begin(backend, job_id), JobFailure(code="weights_not_found", detail="no weights"))

    response = client.get(f"/v1/explanations/{job_id}")

    assert response.status_code == 200
    assert response.json()["status"] == "failed"
    assert response.json()["error"] == {"code": "weights_not_found", "detail": "no weights"}


def test_the_service_keeps_its_books_to_itself(client: TestClient, submit: Callable[[], str], backend: Backend) -> None:
    job_id = submit()
    begin(backend, job_id)

    assert client.get(f"/v1/explanations/{job_id}").json().keys() == ExplanationJob.model_fields.keys()


def test_what_a_job_will_cost_is_counted_while_it_waits(submit: Callable[[], str], backend: Backend) -> None:
    job_id = submit()
    assert backend.repository.queue_state().queued_passes == 514

    begin(backend, job_id)
    assert backend.repository.queue_state().queued_passes == 0


def test_a_job_is_taken_though_no_worker_is_alive(
    client: TestClient, submit: Callable[[], str], backend: Backend
) -> None:
    backend.catalogue.withdraw("w1")

    assert client.get(f"/v1/explanations/{submit()}").json()["status"] == "queued"


def test_a_queued_job_is_canceled_at_once(client: TestClient, submit: Callable[[], str], backend: Backend) -> None:
    path = f"/v1/explanations/{submit()}"

    response = client.post(f"{path}/cancel")

    assert response.status_code == 202
    assert "Retry-After" not in response.headers
    assert response.json() == client.get(path).json()
    assert response.json()["status"] == "canceled"
    assert response.json()["cancel_requested_at"] is not None
    assert response.json()["completed_at"] is not None
    assert backend.queue.depth() == 0


def test_a_running_job_is_asked_to_stop(client: TestClient, submit: Callable[[], str], backend: Backend) -> None:
    job_id = submit()
    lease = begin(backend, job_id)

    response = client.post(f"/v1/explanations/{job_id}/cancel")

    assert (response.status_code, response.json()["status"]) == (202, "running")
    assert response.headers["Retry-After"] == "1"
    assert response.json()["cancel_requested_at"] is not None
    again = client.post(f"/v1/explanations/{job_id}/cancel")
    assert (again.status_code, again.json()) == (202, response.json())
    assert backend.repository.cancel(lease)
    assert client.get(f"/v1/explanations/{job_id}").json()["status"] == "canceled"


def test_a_job_that_has_ended_cannot_be_canceled(
    client: TestClient, submit: Callable[[], str], finish: Callable[[str], JobOutput]
) -> None:
    job_id = submit()
    finish(job_id)

    response = client.post(f"/v1/explanations/{job_id}/cancel")

    assert (response.status_code, response.headers["Content-Type"]) == (409, "application/problem+json")
    assert (response.json()["code"], response.json()["job_status"]) == ("job_final", "succeeded")
    assert client.get(f"/v1/explanations/{job_id}").json()["status"] == "succeeded"


@pytest.mark.parametrize("job_id", ["0" * 32, "x", "%2e%2e"])
def test_a_job_that_is_none_cannot_be_canceled(client: TestClient, job_id: str) -> None:
    assert client.post(f"/v1/explanations/{job_id}/cancel").status_code == 404
