from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from service.backend import Backend
from service.jobs.records import JobFailure, JobOutput

FILES = {
    "result": ("result.json", "application/json"),
    "interactions.npz": ("interactions.npz", "application/octet-stream"),
    "interactions.json": ("interactions.json", "application/json"),
    "maps/first-order.png": ("maps/first-order.png", "image/png"),
    "maps/token-0.png": ("maps/token-0.png", "image/png"),
}


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_served_as_it_was_stored_and_may_be_kept_for_ever(
    client: TestClient, backend: Backend, submit: Callable[[], str], finish: Callable[[str], JobOutput], path: str
) -> None:
    job_id = submit()
    finish(job_id)
    name, media_type = FILES[path]

    response = client.get(f"/v1/explanations/{job_id}/{path}")

    assert response.status_code == 200
    assert response.content == backend.store.read(job_id, "results-1", name)
    assert response.headers["Content-Type"] == media_type
    etag = response.headers["ETag"]
    assert etag == f'"{hashlib.sha256(response.content).hexdigest()}"'
    assert "immutable" in response.headers["Cache-Control"]

    for known in (etag, f'"other", W/{etag}', "*"):
        again = client.get(f"/v1/explanations/{job_id}/{path}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    other = client.get(f"/v1/explanations/{job_id}/{path}", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_of_several_attempts_the_one_counts_that_the_record_names(
    client: TestClient, backend: Backend, submit: Callable[[], str], finish: Callable[[str], JobOutput]
) -> None:
    job_id = submit()
    lost = backend.repository.claim(job_id, "w0", ttl_s=60)
    assert lost is not None
    backend.repository.hand_back(lost.lease, queue=backend.queue)
    finish(job_id)
    expected = client.get(f"/v1/explanations/{job_id}/result").content
    backend.store.write(job_id, "results-1", {"result.json": b"what a worker wrote that had lost the job"})

    assert client.get(f"/v1/explanations/{job_id}/result").content == expected
    assert client.get(f"/v1/explanations/{job_id}").json()["attempt"] == 2


def test_the_result_has_its_provenance(
    client: TestClient, submit: Callable[[], str], finish: Callable[[str], JobOutput]
) -> None:
    job_id = submit()
    finish(job_id)

    result = client.get(f"/v1/explanations/{job_id}/result").json()

    assert result["provenance"] == {"seed": 0, "device": "cpu"}
    assert result["top_interactions"][0]["labels"] == ["r3c5", "red"]
    assert result["full_value"] == 9.25


@pytest.mark.parametrize("path", FILES)
def test_before_the_job_has_succeeded_a_file_is_a_conflict(
    client: TestClient, backend: Backend, submit: Callable[[], str], path: str
) -> None:
    job_id = submit()
    url = f"/v1/explanations/{job_id}/{path}"

    queued = client.get(url)
    claim = backend.repository.claim(job_id, "w1", ttl_s=60)
    assert claim is not None
    running = client.get(url)
    backend.repository.fail(claim.lease, JobFailure(code="weights_not_found", detail="no weights for demo"))
    failed = client.get(url)

    for response, status in ((queued, "queued"), (running, "running"), (failed, "failed")):
        assert response.status_code == 409
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["job_status"] == status
        assert status in response.json()["detail"]
    assert (queued.json()["code"], failed.json()["code"]) == ("result_not_ready", "no_result")
    assert "no weights for demo" in failed.json()["detail"]


@pytest.mark.parametrize(
    "path",
    ["maps/token-9.png", "maps/..%2fview.png", "maps/%2e%2e.png", "maps/.png", "maps/a%00b.png", "maps/..%5cx.png"],
)
def test_a_map_that_does_not_exist_is_not_found(
    client: TestClient, submit: Callable[[], str], finish: Callable[[str], JobOutput], path: str
) -> None:
    job_id = submit()
    finish(job_id)

    response = client.get(f"/v1/explanations/{job_id}/{path}")

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("job_id", ["0" * 32, "x", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "A" * 32, "%00", "é" * 32])
@pytest.mark.parametrize("path", ["", *(f"/{name}" for name in FILES)])
def test_an_unknown_id_is_not_found(client: TestClient, job_id: str, path: str) -> None:
    response = client.get(f"/v1/explanations/{job_id}{path}")

    assert response.status_code == 404
    problem = response.json()
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert problem["code"] in {"job_not_found", "not_found"}
