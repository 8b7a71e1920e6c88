from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest

from fixlip.client import Client, UnexpectedAnswerError
from tests.support.receiver import Received
from tests.support.scripted_service import JOB, Reply, ScriptedService, job

METHOD = {
    "name": "game",
    "title": "GAME",
    "paper": "https://arxiv.org/abs/2103.15679",
    "order": 1,
    "needs_attention": True,
    "cost": {"image_passes": 4, "text_passes": None, "backward_passes": 1},
    "parameters": {"properties": {}},
}
MODEL = {
    "id": "fake",
    "revision": "sha256:0",
    "family": "fake",
    "grid": [2, 2],
    "image_size_px": [8, 8],
    "max_tokens": 14,
    "embed_dim": 4,
    "attention": True,
    "methods": ["game"],
    "precision": "fp32",
    "device": "cpu",
    "live": True,
    "workers": 1,
}
UPLOAD = {
    "id": "img_1",
    "sha256": "0" * 64,
    "width": 2,
    "height": 3,
    "bytes": 70,
    "expires_at": None,
    "created_at": "2026-01-01T00:00:00Z",
}


def answer(body: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode())


def form_of(request: Received) -> dict[str, bytes]:
    """The fields of a form, and the file's name and bytes."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    fields: dict[str, bytes] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        assert isinstance(name, str)
        assert isinstance(payload, bytes)
        fields[name] = payload
        if part.get_filename():
            fields["filename"] = str(part.get_filename()).encode()
    return fields


def test_a_file_goes_into_a_form(client: Client, service: ScriptedService, tmp_path: Path) -> None:
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(b"\xff\xd8picture")
    service.will(job())
    client.submit(
        image=picture,
        caption="a café",
        model="fake",
        method="game",
        params={"layers": [1, 2]},
        metadata={"order": "7"},
        webhook="https://example.com/hook",
        cache="bypass",
        wait_s=7.9,
    )
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/v1/explanations")
    assert request.headers["prefer"] == "wait=7"
    fields = form_of(request)
    assert fields.pop("image") == b"\xff\xd8picture"
    assert fields.pop("filename") == b"photo.jpg"
    assert {name: json.loads(fields.pop(name)) for name in ("params", "metadata", "webhook")} == {
        "params": {"layers": [1, 2]},
        "metadata": {"order": "7"},
        "webhook": {"url": "https://example.com/hook"},
    }
    assert fields == {"caption": "a café".encode(), "model": b"fake", "method": b"game", "cache": b"bypass"}


@pytest.mark.parametrize("source", [{"image_id": "img_1"}, {"image_url": "https://example.com/a.png"}])
def test_a_picture_that_is_elsewhere_goes_into_json(
    client: Client, service: ScriptedService, source: dict[str, Any]
) -> None:
    service.will(job())
    client.submit(caption="", params={}, webhook="https://example.com/hook", **source)
    (request,) = service.requests
    assert request.headers["content-type"] == "application/json"
    body = {"caption": "", "params": {}, "webhook": {"url": "https://example.com/hook"}, **source}
    assert json.loads(request.body) == body
    assert "prefer" not in request.headers


def test_metrics_are_a_list_in_json_and_fields_of_their_own_in_a_form(client: Client, service: ScriptedService) -> None:
    for source in ({"image_id": "img_1"}, {"image": b"picture"}):
        service.will(job())
        client.submit(caption="", evaluate=("aid", "sanity"), **source)
    in_json, in_form = service.requests
    assert json.loads(in_json.body)["evaluate"] == ["aid", "sanity"]
    assert in_form.body.count(b'name="evaluate"') == 2
    assert in_form.body.index(b"aid") < in_form.body.index(b"sanity")


def test_what_is_not_given_is_left_to_the_service(client: Client, service: ScriptedService) -> None:
    service.will(job())
    client.submit(image=b"picture", caption="a red circle", model=None, params=None, webhook=None, cache=None)
    assert form_of(service.requests[0]).keys() == {"image", "filename", "caption"}


def test_a_missing_file_is_not_submitted(client: Client, service: ScriptedService, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.submit(image=tmp_path / "gone.png", caption="a red circle")
    assert service.requests == []


def test_pages_of_jobs(client: Client, service: ScriptedService) -> None:
    first = {"items": [{**JOB, "id": "a"}, {**JOB, "id": "b"}], "next_page_token": "t/1="}
    short = {"items": [], "next_page_token": "t2"}
    last = {"items": [{**JOB, "id": "c"}], "next_page_token": None}
    service.will(answer(first), answer(short), answer(last))
    jobs = client.jobs(status="queued", model="fake")
    assert [job.id for job in jobs] == ["a", "b", "c"]
    paths = [request.path for request in service.requests]
    filters = "status=queued&model=fake&page_size=50"
    assert sorted(paths[0].partition("?")[2].split("&")) == sorted(filters.split("&"))
    assert ["page_token=t%2F1%3D" in paths[1], "page_token=t2" in paths[2]] == [True, True]


def test_no_page_is_read_before_its_turn(client: Client, service: ScriptedService) -> None:
    service.will(answer({"items": [JOB], "next_page_token": "next"}))
    assert next(iter(client.jobs())).id == JOB["id"]
    assert len(service.requests) == 1


def test_uploads(client: Client, service: ScriptedService) -> None:
    service.will(answer(UPLOAD, 201), answer(UPLOAD), Reply(204), Reply(204))
    upload = client.upload(b"picture")
    assert (upload.id, upload.width, upload.expires_at) == ("img_1", 2, None)
    assert client.get_upload(upload) == upload
    client.delete_upload(upload)
    client.delete_upload("img/2")
    assert form_of(service.requests[0])["image"] == b"picture"
    assert [(request.method, request.path) for request in service.requests] == [
        ("POST", "/v1/images"),
        ("GET", "/v1/images/img_1"),
        ("DELETE", "/v1/images/img_1"),
        ("DELETE", "/v1/images/img%2F2"),
    ]


def test_the_catalogue_and_the_quotas(client: Client, service: ScriptedService) -> None:
    quota = {"name": "queued_jobs", "limit": 4, "used": 1, "window_s": None, "resets_in_s": None}
    service.will(answer({"items": [MODEL]}), answer({"items": [METHOD]}), answer(METHOD))
    service.will(answer({"tenant": "a", "items": [quota]}))
    assert client.models()[0].grid == (2, 2)
    assert client.methods()[0].cost.text_passes is None
    assert client.method("a/b").name == "game"
    assert [(found.name, found.limit, found.used) for found in client.quotas()] == [("queued_jobs", 4, 1)]
    paths = [request.path for request in service.requests]
    assert paths == ["/v1/models", "/v1/methods", "/v1/methods/a%2Fb", "/v1/quotas"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"id": "a"}', b""])
def test_something_else_that_answers(client: Client, service: ScriptedService, body: bytes) -> None:
    service.will(Reply(200, body))
    with pytest.raises(UnexpectedAnswerError, match="not what this client expects"):
        client.get("a")


def test_redirects_are_not_followed_with_the_key(client: Client, service: ScriptedService) -> None:
    service.will(Reply(307, headers={"Location": "http://127.0.0.1:9/"}))
    with pytest.raises(Exception, match=r"says no \(307"):
        client.get("a")
    assert len(service.requests) == 1


def test_members_of_newer_services_are_left_out(client: Client, service: ScriptedService) -> None:
    service.will(job("a_new_status", cached=True, estimated_duration_s=1.5))
    found = client.get("a")
    assert found.is_final  # as far as this client knows: it waits for no more
    assert (found.cached, found.estimated_duration_s) == (True, 1.5)


def test_cancel(client: Client, service: ScriptedService) -> None:
    service.will(job("canceled"))
    assert client.cancel("a").status == "canceled"
    assert (service.requests[0].method, service.requests[0].path) == ("POST", "/v1/explanations/a/cancel")
