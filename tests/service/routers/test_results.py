from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from service.backend import Backend
from service.jobs.records import JobFailure, JobMetrics, JobOutput
from service.routers import _files
from service.settings import ServiceSettings

RESULT = {
    "result": ("result.json", "application/json"),
    "audit.json": ("audit.json", "application/json"),
    "interactions.npz": ("interactions.npz", "application/octet-stream"),
    "interactions.json": ("interactions.json", "application/json"),
    "maps/first-order.png": ("maps/first-order.png", "image/png"),
    "maps/first-order.svg": ("maps/first-order.svg", "image/svg+xml"),
    "maps/token-0.png": ("maps/token-0.png", "image/png"),
}
NPZ = "interactions.npz"


@pytest.fixture
def stored(backend: Backend) -> Callable[[str], dict[str, bytes]]:
    """The stored files of a job."""

    def stored(job_id: str) -> dict[str, bytes]:
        results = backend.repository.row(job_id).books.results
        assert results is not None
        return backend.bundles.read(results)

    return stored


@pytest.fixture
def finished(submit: Callable[[], str], finish: Callable[[str], JobOutput]) -> str:
    """A job that has succeeded."""
    job_id = submit()
    finish(job_id)
    return job_id


@pytest.fixture
def npz(stored: Callable[[str], dict[str, bytes]], finished: str) -> bytes:
    return stored(finished)[NPZ]


@pytest.mark.parametrize("path", RESULT)
def test_a_file_is_served_as_it_was_stored_and_may_be_kept_for_ever(
    client: TestClient, stored: Callable[[str], dict[str, bytes]], finished: str, path: str
) -> None:
    name, media_type = RESULT[path]

    response = client.get(f"/v1/explanations/{finished}/{path}")

    assert response.status_code == 200
    assert response.content == stored(finished)[name]
    assert response.headers["Content-Type"] == media_type
    assert int(response.headers["Content-Length"]) == len(response.content)
    etag = response.headers["ETag"]
    assert etag == f'"{hashlib.sha256(response.content).hexdigest()}"'
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Vary"] == "Authorization"

    for known in (etag, f'"other", W/{etag}', "*"):
        again = client.get(f"/v1/explanations/{finished}/{path}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    other = client.get(f"/v1/explanations/{finished}/{path}", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_a_copy_that_is_still_good_costs_the_store_nothing(
    client: TestClient, settings: ServiceSettings, finished: str
) -> None:
    url = f"/v1/explanations/{finished}/{NPZ}"
    etag = client.get(url).headers["ETag"]
    shutil.rmtree(settings.data_dir / "bundles")

    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=7-600000"}])
def test_what_is_long_comes_bit_by_bit(
    client: TestClient,
    backend: Backend,
    submit: Callable[[], str],
    finish: Callable[..., JobOutput],
    headers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_files, "_AT_ONCE_BYTES", 0)
    tensor = random.Random(0).randbytes(2_000_003)
    job_id = submit()
    finish(job_id, {NPZ: tensor})

    response = client.get(f"/v1/explanations/{job_id}/{NPZ}", headers=headers)

    assert response.content == (tensor[7:600_001] if headers else tensor)
    assert response.headers["Content-Length"] == str(len(response.content))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-0", 0, 1), ("2-4", 2, 5), ("3-", 3, None), ("-4", -4, None), ("0-99999", 0, None), ("-99999", 0, None)],
)
def test_a_part_of_a_file_may_be_asked_for(
    client: TestClient, finished: str, npz: bytes, asked: str, start: int, end: int | None
) -> None:
    response = client.get(f"/v1/explanations/{finished}/{NPZ}", headers={"Range": f"bytes={asked}"})

    part = npz[start:end]
    first = npz.index(part) if start else 0
    assert (response.status_code, response.content) == (206, part)
    assert response.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(npz)}"
    assert response.headers["Content-Length"] == str(len(part))
    assert response.headers["ETag"] == f'"{hashlib.sha256(npz).hexdigest()}"'


@pytest.mark.parametrize("asked", ["bytes=0-0,2-3", "bytes=4-2", "bytes=-", "bytes=a-b", "lines=0-1", "bytes 0-1", ""])
def test_what_is_no_single_range_is_ignored(client: TestClient, finished: str, npz: bytes, asked: str) -> None:
    response = client.get(f"/v1/explanations/{finished}/{NPZ}", headers={"Range": asked})

    assert (response.status_code, response.content) == (200, npz)
    assert response.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=1000-1001", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused_with_the_length(
    client: TestClient, finished: str, npz: bytes, asked: str
) -> None:
    response = client.get(f"/v1/explanations/{finished}/{NPZ}", headers={"Range": asked})

    assert (response.status_code, response.json()["code"]) == (416, "range_not_satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{len(npz)}"


def test_a_part_of_another_version_is_all_of_this_one(client: TestClient, finished: str, npz: bytes) -> None:
    url, etag = f"/v1/explanations/{finished}/{NPZ}", f'"{hashlib.sha256(npz).hexdigest()}"'
    answers = [
        client.get(url, headers={"Range": "bytes=0-1", "If-Range": tag}) for tag in (etag, '"other"', f"W/{etag}")
    ]

    assert [answer.status_code for answer in answers] == [206, 200, 200]
    assert [len(answer.content) for answer in answers] == [2, len(npz), len(npz)]


def test_a_damaged_file_is_refused_or_broken_off(
    client: TestClient, settings: ServiceSettings, finished: str, npz: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (settings.data_dir / "bundles").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(npz, b"x" * len(npz)))
    url = f"/v1/explanations/{finished}/{NPZ}"

    assert client.get(url).json()["code"] == "storage_unavailable"
    monkeypatch.setattr(_files, "_AT_ONCE_BYTES", 0)
    with pytest.raises(RuntimeError, match="response already started"):
        client.get(url)


def test_what_a_worker_wrote_that_had_lost_the_job_counts_for_nothing(
    client: TestClient, backend: Backend, submit: Callable[[], str], finish: Callable[[str], JobOutput]
) -> None:
    job_id = submit()
    lost = backend.repository.claim(job_id, "w0", ttl_s=60)
    assert lost is not None
    backend.repository.hand_back(lost.lease, queue=backend.queue)
    output = finish(job_id)
    expected = client.get(f"/v1/explanations/{job_id}/result").content
    results = backend.bundles.add({"result.json": b"too late"})

    assert not backend.repository.succeed(lost.lease, output, JobMetrics(), results=results)
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


@pytest.mark.parametrize("path", RESULT)
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
@pytest.mark.parametrize("path", ["", *(f"/{name}" for name in RESULT)])
def test_an_unknown_id_is_not_found(client: TestClient, job_id: str, path: str) -> None:
    response = client.get(f"/v1/explanations/{job_id}{path}")

    assert response.status_code == 404
    problem = response.json()
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert problem["code"] in {"job_not_found", "not_found"}
