"""Batches over HTTP: every form of body, every way to be wrong, and what may be done with one."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from fixlip_core.encoders.card import ModelCard
from service.app import create_app
from service.backend import Backend
from service.jobs.records import JobFailure
from service.settings import ServiceSettings

URL = "/v1/batches"
BUDGET = {"budget": 16}
CSV = 'image,caption,params\na.png,a red circle,"{""budget"": 16}"\nb.png,a dog,\n'


def png(color: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (12, 8), color).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.png", data)
    return buffer.getvalue()


def item(**changes: Any) -> dict[str, Any]:
    return {"image": base64.b64encode(png()).decode(), "caption": "a red circle", "params": BUDGET, **changes}


def created(response: httpx2.Response) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    batch: dict[str, Any] = response.json()
    return batch


def errors_of(response: httpx2.Response, status: int, code: str) -> list[tuple[str, str]]:
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    return [(entry["field"], entry["code"]) for entry in problem["errors"]]


def form(client: TestClient, manifest: str, name: str, images: bytes | None = None, **fields: Any) -> httpx2.Response:
    files: dict[str, tuple[str, bytes]] = {"manifest": (name, manifest.encode())}
    if images is not None:
        files["images"] = ("images.zip", images)
    return client.post(URL, files=files, data={key: json.dumps(value) for key, value in fields.items()})


def test_items_become_jobs(client: TestClient, backend: Backend) -> None:
    response = client.post(URL, json={"items": [item(custom_id="one"), item(model="demo", metadata={"a": "b"})]})
    batch = created(response)

    assert response.headers["Location"] == batch["urls"]["self"] == f"{URL}/{batch['id']}"
    assert batch["request_counts"]["total"] == 2
    rows = backend.batches.rows(batch["id"], 0, 10)
    assert [row.item.custom_id for row in rows] == ["one", "item-1"]
    assert rows[0].item.pair_id == rows[1].item.pair_id  # the same image and caption
    assert rows[0].item.inputs == rows[1].item.inputs  # which is stored once
    jobs = [client.get(f"/v1/explanations/{row.job_id}").json() for row in rows]
    assert [job["batch_id"] for job in jobs] == [batch["id"]] * 2
    assert [job["custom_id"] for job in jobs] == ["one", "item-1"]
    assert jobs[1]["metadata"] == {"a": "b"}
    assert all(job["params"]["budget"] == 16 for job in jobs)


def test_pairs_are_explained_in_every_way(client: TestClient, backend: Backend) -> None:
    pairs = [{"image": item()["image"], "caption": text, "custom_id": text} for text in ("a dog", "a cat")]
    methods = [{"params": BUDGET}, {"method": "grad_eclip"}]
    batch = created(client.post(URL, json={"pairs": pairs, "methods": methods, "evaluate": ["faithfulness"]}))

    rows = backend.batches.rows(batch["id"], 0, 10)
    assert [(row.item.pair_id, row.item.method) for row in rows] == [
        ("a dog", "fixlip"),
        ("a dog", "grad_eclip"),
        ("a cat", "fixlip"),
        ("a cat", "grad_eclip"),
    ]
    assert {row.item.evaluate for row in rows} == {("faithfulness",)}


@pytest.mark.parametrize("given", [{}, {"maps": True}])
def test_maps_are_drawn_where_they_are_wanted(client: TestClient, backend: Backend, given: dict[str, bool]) -> None:
    batch = created(client.post(URL, json={"items": [item()], **given}))
    (row,) = backend.batches.rows(batch["id"], 0, 10)
    assert client.get(f"/v1/explanations/{row.job_id}").json()["maps"] is given.get("maps", False)


def test_json_lines_bring_their_images(client: TestClient, backend: Backend) -> None:
    lines = [item(caption=text, image=base64.b64encode(png(text)).decode()) for text in ("red", "blue")]
    body = "\n".join(map(json.dumps, lines))
    batch = created(client.post(URL, content=body, headers={"Content-Type": "application/jsonl"}))

    rows = backend.batches.rows(batch["id"], 0, 10)
    assert [row.item.input.caption for row in rows] == ["red", "blue"]
    assert len({row.item.inputs.digest for row in rows}) == 2


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_a_manifest_names_the_files_of_a_zip(client: TestClient, backend: Backend, kind: str) -> None:
    lines = [{"image": "a.png", "caption": "a red circle"}, {"image": "b.png", "caption": "a dog"}]
    text = {"csv": CSV, "jsonl": "\n".join(map(json.dumps, lines)), "json": json.dumps({"items": lines})}[kind]
    batch = created(form(client, text, f"manifest.{kind}", zipped(a=png(), b=png("blue"))))

    rows = backend.batches.rows(batch["id"], 0, 10)
    assert [row.item.input.caption for row in rows] == ["a red circle", "a dog"]
    assert len({row.item.inputs.digest for row in rows}) == 2


def test_the_rows_of_a_table_are_pairs_where_there_are_methods(client: TestClient, backend: Backend) -> None:
    text = "image,caption\na.png,a red circle\nb.png,a dog\n"
    methods = [{"params": BUDGET}, {"method": "legrad"}]
    batch = created(form(client, text, "m.csv", zipped(a=png(), b=png("blue")), methods=methods, seeds=[1, 2]))

    rows = backend.batches.rows(batch["id"], 0, 10)
    assert [(row.item.method, row.item.params.get("seed")) for row in rows[:3]] == [
        ("fixlip", 1),
        ("fixlip", 2),
        ("legrad", None),
    ]
    assert batch["request_counts"]["total"] == 6


def test_an_uploaded_image_is_used_where_it_lies(client: TestClient, backend: Backend) -> None:
    image_id = client.post("/v1/images", content=png(), headers={"Content-Type": "image/png"}).json()["id"]
    line = {"image_id": image_id, "caption": "a dog"}
    batch = created(client.post(URL, json={"items": [line, {**line, "params": BUDGET}]}))

    upload, bundle = backend.uploads.get(image_id, tenant="default")
    (one, two) = backend.batches.rows(batch["id"], 0, 10)
    assert one.item.inputs == two.item.inputs == bundle
    assert one.item.input.image_sha256 == upload.sha256


def test_a_label_map_is_stored_beside_the_picture(client: TestClient, backend: Backend) -> None:
    batch = created(client.post(URL, json={"items": [item(params={"regions": [[0, 1], [1, 1]], "budget": 16})]}))
    (row,) = backend.batches.rows(batch["id"], 0, 10)
    assert set(backend.bundles.read(row.item.inputs)) == {"image", "params.json"}
    assert str(row.item.params["regions"]).startswith("sha256:")


def test_every_fault_is_told_with_its_place_and_nothing_is_queued(
    client: TestClient, assert_nothing_queued: Callable[[], None]
) -> None:
    items = [
        item(),
        item(caption=""),
        item(image="!"),
        item(params={"p": 2}),
        item(model="none"),
        item(method="none"),
        item(image_id="both"),
        {"caption": "a dog"},
        item(image=base64.b64encode(b"hello").decode()),
        item(extra=1),
        item(evaluate=["beauty"]),
        item(custom_id="item-0"),
        item(image=None, image_id="img_0"),
    ]
    found = errors_of(client.post(URL, json={"items": items}), 422, "invalid_request")

    assert found == [
        ("items[1].caption", "caption_empty"),
        ("items[2].image", "malformed_base64"),
        ("items[3].params.p", "less_than"),
        ("items[4].model", "unknown_model"),
        ("items[5].method", "unknown_method"),
        ("items[6].image_id", "image_source"),
        ("items[7].image", "image_source"),
        ("items[8].image", "image_undecodable"),
        ("items[9].extra", "extra_forbidden"),
        ("items[10].evaluate", "unknown_metric"),
        ("items[11].custom_id", "custom_id_repeated"),
        ("items[12].image_id", "image_source"),
    ]
    assert_nothing_queued()


def test_a_fault_of_a_method_is_told_once_for_all_pairs(client: TestClient) -> None:
    pairs = [{"image": item()["image"], "caption": f"dog {number}"} for number in range(5)]
    methods = [{"params": BUDGET}, {"params": {"p": 2, "order": 5}}]
    found = errors_of(client.post(URL, json={"pairs": pairs, "methods": methods}), 422, "invalid_request")
    assert found == [("methods[1].params.p", "less_than"), ("methods[1].params.order", "literal_error")]


def test_a_model_that_is_none_is_told_once_for_all_pairs(client: TestClient) -> None:
    pairs = [{"image": item()["image"], "caption": f"dog {number}"} for number in range(5)]
    found = errors_of(client.post(URL, json={"pairs": pairs, "models": ["demo", "none"]}), 422, "invalid_request")
    assert found == [("models", "unknown_model")]


def test_a_fault_of_a_pair_is_told_once_for_all_methods(client: TestClient) -> None:
    pairs = [{"image": item()["image"], "caption": "a dog"}, {"image": item()["image"], "caption": ""}]
    methods = [{"params": BUDGET}, {"method": "grad_eclip"}]
    found = errors_of(client.post(URL, json={"pairs": pairs, "methods": methods}), 422, "invalid_request")
    assert found == [("pairs[1].caption", "caption_empty")]


def test_of_thousands_of_faults_some_are_told(client: TestClient) -> None:
    response = client.post(URL, json={"items": [item(caption="")] * 200})
    assert len(errors_of(response, 422, "invalid_request")) == 32
    assert response.json()["detail"].endswith("and perhaps more")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"items": []}, 422, "invalid_request"),
        ({}, 422, "invalid_batch"),
        ({"items": [], "pairs": []}, 422, "invalid_batch"),
        ({"items": [1]}, 422, "invalid_request"),
        ({"items": [{}], "models": ["demo"]}, 422, "invalid_batch"),
        ({"items": [{}], "unknown": 1}, 422, "invalid_request"),
        ({"pairs": [{}], "methods": [{}] * 100, "seeds": list(range(101))}, 422, "too_many_items"),
    ],
)
def test_what_is_no_batch_is_refused(client: TestClient, body: dict[str, Any], status: int, code: str) -> None:
    errors_of(client.post(URL, json=body), status, code)


def test_there_may_be_as_many_items_as_the_operator_says(settings: ServiceSettings, card: ModelCard) -> None:
    app = create_app(settings.model_copy(update={"max_batch_items": 2}))
    app.state.backend.catalogue.announce(card.to_dict(), "w1", ttl_s=600)
    with TestClient(app) as client:
        response = client.post(URL, json={"items": [item()] * 3})
        assert errors_of(response, 422, "invalid_request") == [("items", "too_many_items")]
        created(client.post(URL, json={"items": [item()] * 2}))


def test_a_body_may_be_as_long_as_the_operator_says(settings: ServiceSettings, card: ModelCard) -> None:
    small = settings.model_copy(update={"max_image_bytes": 1000, "max_batch_bytes": 600_000})
    with TestClient(create_app(small)) as client:
        long = client.post(URL, content=bytes(600_001), headers={"Content-Type": "application/jsonl"})
        assert errors_of(long, 413, "body_too_large") == []
        single = client.post("/v1/explanations", content=bytes(600_001), headers={"Content-Type": "application/json"})
        assert "525,6" in single.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"files": {"images": ("i.zip", b"")}}, 422, "missing"),
        ({"files": {"manifest": ("m.txt", b"")}}, 422, "manifest_format"),
        ({"files": {"manifest": ("m.csv", b"image,caption\n"), "other": ("o", b"")}}, 422, "extra_forbidden"),
        ({"files": {"manifest": ("m.csv", b"a\n"), "images": ("i.zip", b"no")}}, 400, "malformed_archive"),
        ({"files": {"manifest": ("m.json", b"{")}}, 400, "malformed_json"),
        ({"files": {"manifest": ("m.csv", b"a,a\n1,2\n")}}, 422, "malformed_csv"),
        ({"files": {"manifest": ("m.csv", b"a\n")}, "data": {"models": "["}}, 400, "malformed_json"),
        ({"files": {"manifest": ("m.csv", b"a\n")}, "data": {"images": "x"}}, 422, "wrong_part"),
        ({"files": {"manifest": ("m.csv", b"a\n")}, "data": {"evaluate": ['["aid"]', "[]"]}}, 422, "repeated_field"),
        (
            {"files": {"manifest": ("m.json", b'{"items": [{}], "evaluate": []}')}, "data": {"evaluate": "[]"}},
            422,
            "repeated_field",
        ),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_content_type"),
        ({"content": b"{", "headers": {"Content-Type": "application/jsonl"}}, 400, "malformed_json"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    client: TestClient, fields: dict[str, Any], status: int, code: str
) -> None:
    errors_of(client.post(URL, **fields), status, code)


@pytest.mark.parametrize(
    ("images", "code"),
    [(None, "image_not_in_archive"), (zipped(b=png()), "image_not_in_archive"), (zipped(a=b"no"), "image_undecodable")],
)
def test_a_file_that_is_not_there_or_no_image_is_told(client: TestClient, images: bytes | None, code: str) -> None:
    response = form(client, "image,caption\na.png,a dog\n", "m.csv", images)
    assert errors_of(response, 422, "invalid_request") == [("items[0].image", code)]


def test_no_worker_has_announced_a_model(app: FastAPI) -> None:
    with TestClient(app) as client:
        errors_of(client.post(URL, json={"items": [item()]}), 503, "no_models")


def test_a_key_gives_the_same_batch(client: TestClient, backend: Backend) -> None:
    def send(**changes: Any) -> httpx2.Response:
        return client.post(URL, json={"items": [item(**changes)]}, headers={"Idempotency-Key": "once"})

    first, second = send(), send()
    assert created(first)["id"] == created(second)["id"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    errors_of(send(caption="another"), 422, "idempotency_mismatch")
    assert len(backend.batches.page("default", size=10).batches) == 1


def test_a_form_that_is_put_together_anew_is_the_same_batch(client: TestClient) -> None:
    def send() -> httpx2.Response:
        files = {"manifest": ("m.csv", b"image,caption\na.png,a dog\n"), "images": ("i.zip", images)}
        return client.post(URL, files=files, headers={"Idempotency-Key": "once"})

    images = zipped(a=png())
    assert created(send())["id"] == created(send())["id"]


def test_all_passes_are_charged_at_once(settings: ServiceSettings, card: ModelCard) -> None:
    app = create_app(settings.model_copy(update={"quota_passes_per_day": 100}))
    backend: Backend = app.state.backend
    backend.catalogue.announce(card.to_dict(), "w1", ttl_s=600)
    with TestClient(app) as client:
        refused = client.post(URL, json={"items": [item(params={"budget": 60}), item(params={"budget": 61})]})
        assert errors_of(refused, 429, "quota_exceeded") == [("passes_per_day", "quota_exceeded")]
        created(client.post(URL, json={"items": [item(params={"budget": 16}), item(params={"budget": 17})]}))
    (passes,) = (usage.used for usage in backend.quotas.usage("default") if usage.name == "passes_per_day")
    assert passes == 37  # two captions of two tokens, all coalitions of which are passed


def test_another_tenants_batch_is_none(client: TestClient, backend: Backend) -> None:
    batch = created(client.post(URL, json={"items": [item()]}))
    (row,) = backend.batches.rows(batch["id"], 0, 1)
    others = "f" * 32
    assert backend.batches.create(others, [row.item], tenant="other") is not None
    for method, path in [
        ("GET", ""),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("DELETE", ""),
        ("GET", "/events"),
        ("GET", "/results.jsonl"),
        ("GET", "/table.csv"),
        ("GET", "/table.parquet"),
        ("GET", "/summary"),
    ]:
        for unknown in (others, "0" * 32, "no-id"):
            errors_of(client.request(method, f"{URL}/{unknown}{path}"), 404, "batch_not_found")
    assert [listed["id"] for listed in client.get(URL).json()["items"]] == [batch["id"]]
    assert backend.batches.get(others, tenant="other").cancel_requested_at is None


def test_a_batch_is_canceled_and_deleted(client: TestClient) -> None:
    url = created(client.post(URL, json={"items": [item(), item(caption="a dog")]}))["urls"]["self"]

    errors_of(client.delete(url), 409, "batch_open")
    errors_of(client.post(f"{url}/retry"), 409, "batch_open")
    canceled = created(client.post(f"{url}/cancel"))
    assert (canceled["status"], canceled["request_counts"]["canceled"]) == ("canceled", 2)
    errors_of(client.post(f"{url}/cancel"), 409, "batch_final")
    assert client.delete(url).status_code == 204
    errors_of(client.get(url), 404, "batch_not_found")


def test_what_has_failed_is_tried_again(client: TestClient, backend: Backend, finish: Callable[[str], object]) -> None:
    batch = created(client.post(URL, json={"items": [item(), item(caption="a dog")]}))
    url = batch["urls"]["self"]
    good, bad = (row.job_id for row in backend.batches.rows(batch["id"], 0, 10))
    finish(good)
    claim = backend.repository.claim(bad, "w1", ttl_s=60)
    assert claim is not None
    assert backend.repository.fail(claim.lease, JobFailure(code="out_of_memory", detail="no room"))
    ended = client.get(url, headers={"Prefer": "wait=5"}).json()
    assert (ended["status"], ended["request_counts"]["failed"]) == ("succeeded", 1)

    again = created(client.post(f"{url}/retry"))
    assert again["request_counts"]["failed"] == 0
    assert (again["retries"], again["request_counts"]["completed"]) == (1, 1)
    kept, retried = (row.job_id for row in backend.batches.rows(batch["id"], 0, 10))
    assert (kept == good, retried == bad) == (True, False)
    finish(retried)
    assert client.get(url).json()["request_counts"]["completed"] == 2
    errors_of(client.post(f"{url}/retry"), 409, "nothing_to_retry")


def test_batches_are_listed_newest_first(client: TestClient) -> None:
    made = [created(client.post(URL, json={"items": [item()]}))["id"] for _ in range(3)]
    first = client.get(URL, params={"page_size": 2}).json()
    second = client.get(URL, params={"page_size": 2, "page_token": first["next_page_token"]}).json()

    assert [batch["id"] for batch in first["items"] + second["items"]] == made[::-1]
    assert second["next_page_token"] is None
    errors_of(client.get(URL, params={"page_token": "x"}), 422, "invalid_page_token")


@pytest.fixture
def assert_nothing_queued(backend: Backend) -> Callable[[], None]:
    def check() -> None:
        assert backend.repository.queue_state().queued == 0
        assert backend.batches.page("default", size=10).batches == []

    return check
