from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from service.backend import Backend
from service.jobs.inputs import IMAGE
from service.settings import ServiceSettings

CAPTION = "a red circle"


@pytest.fixture
def upload(client: TestClient, image_png: bytes) -> dict[str, Any]:
    """An uploaded image, as it was answered."""
    response = client.post("/v1/images", files={"image": image_png})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def submit_with(client: TestClient, **fields: Any) -> httpx2.Response:
    return client.post("/v1/explanations", json={"caption": CAPTION, **fields})


def files_of(settings: ServiceSettings) -> int:
    return len([path for path in (settings.data_dir / "bundles").rglob("*") if path.is_file()])


def test_an_image_is_uploaded_as_a_form_or_as_it_is(client: TestClient, image_png: bytes) -> None:
    answers = [
        client.post("/v1/images", files={"image": image_png}),
        client.post("/v1/images", content=image_png, headers={"Content-Type": "image/png"}),
    ]
    for answer in answers:
        assert answer.status_code == 201
        body = answer.json()
        assert body.keys() == {"id", "sha256", "width", "height", "bytes", "created_at", "expires_at"}
        assert (body["sha256"], body["bytes"]) == (hashlib.sha256(image_png).hexdigest(), len(image_png))
        assert (body["width"], body["height"]) == (48, 32)
        assert answer.headers["Location"] == f"/v1/images/{body['id']}"
        assert client.get(answer.headers["Location"]).json() == body
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_a_job_of_an_uploaded_image_is_like_one_that_brings_it_and_stores_nothing_more(
    client: TestClient, backend: Backend, settings: ServiceSettings, upload: dict[str, Any], submit: Callable[[], str]
) -> None:
    first = submit_with(client, image_id=upload["id"])
    second = submit_with(client, image_id=upload["id"], params={"budget": 64})
    own = submit()
    assert (first.status_code, second.status_code) == (202, 202), first.text
    assert first.json()["input"]["image_sha256"] == upload["sha256"]
    claims = [backend.repository.claim(job_id, "w/1", ttl_s=60) for job_id in (first.json()["id"], own)]
    inputs = [claim.inputs for claim in claims if claim is not None]
    assert inputs[0] == inputs[1]
    assert inputs[0] is not None
    assert backend.bundles.read(inputs[0]).keys() == {IMAGE}
    assert files_of(settings) == 1


def test_a_label_map_is_judged_by_the_uploads_size_and_stored_beside_the_image(
    client: TestClient, backend: Backend, upload: dict[str, Any]
) -> None:
    params = {"boxes": [[0, 0, 48, 32]], "regions": None}
    assert submit_with(client, image_id=upload["id"], params=params).status_code == 202
    beyond = submit_with(client, image_id=upload["id"], params={"boxes": [[48, 0, 60, 32]]})
    assert (beyond.status_code, beyond.json()["errors"][0]["field"]) == (422, "params.boxes.0")
    mapped = submit_with(client, image_id=upload["id"], params={"regions": [[0, 1], [2, 3]]})
    claim = backend.repository.claim(mapped.json()["id"], "w/1", ttl_s=60)
    assert claim is not None
    assert claim.inputs is not None
    assert len(backend.bundles.read(claim.inputs)) == 2


def test_a_deleted_image_is_gone_but_not_for_its_jobs(
    client: TestClient, backend: Backend, upload: dict[str, Any]
) -> None:
    job_id = submit_with(client, image_id=upload["id"]).json()["id"]
    assert client.delete(f"/v1/images/{upload['id']}").status_code == 204
    for response in (client.get(f"/v1/images/{upload['id']}"), client.delete(f"/v1/images/{upload['id']}")):
        assert (response.status_code, response.json()["code"]) == (404, "upload_not_found")
    again = submit_with(client, image_id=upload["id"])
    assert (again.status_code, again.json()["code"]) == (422, "upload_not_found")
    assert again.json()["errors"][0]["field"] == "image_id"
    claim = backend.repository.claim(job_id, "w/1", ttl_s=60)
    assert claim is not None
    assert claim.inputs is not None
    assert backend.bundles.read(claim.inputs)


def test_an_image_that_is_removed_while_it_is_asked_for_is_gone(
    client: TestClient, settings: ServiceSettings, upload: dict[str, Any]
) -> None:
    for path in (settings.data_dir / "bundles").rglob("*"):
        if path.is_file():
            path.unlink()
    response = submit_with(client, image_id=upload["id"])
    assert (response.status_code, response.json()["code"]) == (422, "upload_not_found")
    assert response.json()["errors"][0]["field"] == "image_id"


@pytest.mark.parametrize("image_id", ["", "x", "img_" + "0" * 32, "../../etc/passwd", "img_\u0660"])
def test_an_unknown_image_is_named_in_the_error(client: TestClient, image_id: str) -> None:
    response = submit_with(client, image_id=image_id)
    assert (response.status_code, response.json()["code"]) == (422, "upload_not_found")


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        ({"content": b"x", "headers": {"Content-Type": "image/png"}}, 415, "image_undecodable"),
        ({"content": b"", "headers": {"Content-Type": "image/png"}}, 422, "image_empty"),
        ({"content": b"{}", "headers": {"Content-Type": "application/json"}}, 415, "unsupported_content_type"),
        ({"content": b"x"}, 415, "unsupported_content_type"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "malformed_multipart"),
        ({"files": {"picture": b"x"}}, 422, "wrong_part"),
        ({"files": {"image": b"x"}, "data": {"caption": "a"}}, 422, "extra_forbidden"),
        ({"files": {"image": ("a.png", b"")}}, 422, "image_empty"),
    ],
)
def test_what_is_no_image_is_refused_and_leaves_nothing(
    client: TestClient, request_of: dict[str, Any], status: int, code: str, assert_nothing_left: Callable[[], None]
) -> None:
    response = client.post("/v1/images", **request_of)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert_nothing_left()


def test_the_limits_are_those_of_submitted_images(client: TestClient, backend: Backend) -> None:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    response = client.post("/v1/images", files={"image": buffer.getvalue()})
    assert (response.status_code, response.json()["code"]) == (422, "image_too_many_pixels")


def test_uploads_count_as_stored(client: TestClient, backend: Backend, upload: dict[str, Any]) -> None:
    stored = backend.repository.stored_bytes("default")
    assert stored > 0
    client.delete(f"/v1/images/{upload['id']}")
    assert backend.repository.stored_bytes("default") == 0
