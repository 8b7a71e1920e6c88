from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from fixlip_core.encoders.card import ModelCard
from fixlip_core.methods import METHODS
from service.app import create_app
from service.backend import Backend
from service.jobs.repository import JobRepository
from service.settings import ServiceSettings

URL = "/v1/explanations"
CAPTION = "a red circle and a blue square"
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises so many pixels and has none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def assert_problem(response: Any, status: int, code: str, field: str | None = None) -> None:
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["status"], problem["code"], problem["instance"]) == (status, code, URL)
    assert problem["type"].endswith(code)
    assert problem["detail"]
    assert problem["request_id"] == response.headers["X-Request-Id"]
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]]


def inputs_of(backend: Backend, job_id: str) -> dict[str, bytes]:
    bundle = backend.repository.row(job_id).books.inputs
    assert bundle is not None
    return backend.bundles.read(bundle)


BAD_IMAGES: dict[str, tuple[Callable[[bytes], bytes], int, str]] = {
    "no image": (lambda _: b"hello, world", 415, "image_undecodable"),
    "an SVG": (lambda _: b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "image_undecodable"),
    "truncated": (lambda png: png[: len(png) // 2], 422, "image_truncated"),
    "only a signature": (lambda png: png[:8], 415, "image_undecodable"),
    "a decompression bomb": (lambda _: png_header(50_000, 50_000), 422, "image_too_many_pixels"),
    "too many pixels": (lambda _: png_header(8_001, 8_000), 422, "image_too_many_pixels"),
    "more than 20 MB": (lambda png: png + bytes(20_000_001 - len(png)), 413, "image_too_large"),
    "no bytes": (lambda _: b"", 422, "image_empty"),
    "no pixels": (lambda _: png_header(0, 5), 415, "image_undecodable"),
}


@pytest.mark.parametrize("kind", BAD_IMAGES)
@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_a_bad_image_is_refused(
    client: TestClient, image_png: bytes, assert_nothing_left: Callable[[], None], kind: str, as_json: bool
) -> None:
    spoil, status, code = BAD_IMAGES[kind]
    image = spoil(image_png)
    if as_json:
        response = client.post(URL, json={"image": base64.b64encode(image).decode(), "caption": CAPTION})
    else:
        response = client.post(URL, files={"image": ("scene.png", image)}, data={"caption": CAPTION})

    assert_problem(response, status, code, "image")
    assert_nothing_left()


def test_unusual_images_are_handled(client: TestClient, backend: Backend) -> None:
    frames = [Image.new("RGB", (6, 4), color) for color in ("red", "blue")]
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = np.full((4, 6), 0x80FF, dtype=np.uint16)
    images: dict[str, tuple[Image.Image, str, dict[str, Any], tuple[int, int], tuple[int, int, int]]] = {
        "animated": (frames[0], "GIF", {"save_all": True, "append_images": frames[1:]}, (6, 4), (255, 0, 0)),
        "16-bit": (Image.fromarray(deep), "PNG", {}, (6, 4), (128, 128, 128)),
        "CMYK": (Image.new("CMYK", (6, 4), (0, 255, 255, 0)), "TIFF", {}, (6, 4), (255, 0, 0)),
        "EXIF-rotated": (Image.new("RGB", (6, 4), "red"), "PNG", {"exif": exif}, (4, 6), (255, 0, 0)),
        "transparent": (Image.new("RGBA", (6, 4), (255, 0, 0, 0)), "PNG", {}, (6, 4), (255, 255, 255)),
    }
    for kind, (image, format_, options, size, color) in images.items():
        buffer = io.BytesIO()
        image.save(buffer, format_, **options)
        response = client.post(URL, files={"image": buffer.getvalue()}, data={"caption": CAPTION})

        assert response.status_code == 202, kind
        stored = Image.open(io.BytesIO(inputs_of(backend, response.json()["id"])["image"]))
        assert (stored.mode, stored.size, stored.getpixel((1, 1))) == ("RGB", size, color), kind


BAD_FIELDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an empty caption": ({"caption": ""}, "caption_empty", "caption"),
    "a blank caption": ({"caption": " \n\t\N{NO-BREAK SPACE}"}, "caption_empty", "caption"),
    "only emoji": ({"caption": "\N{GRINNING FACE}\N{DOG FACE}" + FAMILY}, "caption_without_words", "caption"),
    "a caption beyond the context": ({"caption": "red circle " * 20}, "caption_too_long", "caption"),
    "a huge caption": ({"caption": "a" * 60_000}, "caption_too_long", "caption"),
    "NUL in the caption": ({"caption": "a red\0circle"}, "caption_control_character", "caption"),
    "an escape in the caption": ({"caption": "a \x1b[31mred circle"}, "caption_control_character", "caption"),
    "an unknown model": ({"model": "ViT-H-14/laion2b"}, "unknown_model", "model"),
    "a path as model": ({"model": "../../etc/passwd"}, "unknown_model", "model"),
    "an unknown method": ({"method": "gradcam"}, "unknown_method", "method"),
    "an unknown field": ({"captoin": "x"}, "invalid_request", "captoin"),
    "p of 0": ({"params": {"p": 0}}, "invalid_parameter", "params.p"),
    "p of 1": ({"params": {"p": 1.0}}, "invalid_parameter", "params.p"),
    "p below 0": ({"params": {"p": -0.5}}, "invalid_parameter", "params.p"),
    "p in words": ({"params": {"p": "half"}}, "invalid_parameter", "params.p"),
    "p in quotes": ({"params": {"p": "0.5"}}, "invalid_parameter", "params.p"),
    "p of null": ({"params": {"p": None}}, "invalid_parameter", "params.p"),
    "p beyond doubles": ({"params": {"p": 10**400}}, "invalid_parameter", "params.p"),
    "a budget below 8": ({"params": {"budget": 7}}, "invalid_parameter", "params.budget"),
    "a budget above the limit": ({"params": {"budget": 1025}}, "budget_too_large", "params.budget"),
    "a budget above every limit": ({"params": {"budget": 10**30}}, "invalid_parameter", "params.budget"),
    "half a pass": ({"params": {"budget": 64.5}}, "invalid_parameter", "params.budget"),
    "order 3": ({"params": {"order": 3}}, "invalid_parameter", "params.order"),
    "a negative seed": ({"params": {"seed": -1}}, "invalid_parameter", "params.seed"),
    "a seed of 33 bits": ({"params": {"seed": 2**32}}, "invalid_parameter", "params.seed"),
    "a truth value as seed": ({"params": {"seed": True}}, "invalid_parameter", "params.seed"),
    "an unknown estimator": ({"params": {"estimator": "kernelshap"}}, "invalid_parameter", "params.estimator"),
    "an unknown parameter": ({"params": {"steps": 5}}, "invalid_parameter", "params.steps"),
    "another method's parameter": ({"method": "game", "params": {"p": 0.5}}, "invalid_parameter", "params.p"),
    "a wrong parameter of a method": (
        {"method": "m2ib", "params": {"copies": 0}},
        "invalid_parameter",
        "params.copies",
    ),
    "another word than auto": ({"params": {"budget": "all"}}, "invalid_parameter", "params.budget"),
    "auto passes above the limit": (
        {"params": {"budget": "auto", "max_passes": 1025}},
        "budget_too_large",
        "params.max_passes",
    ),
    "text passes above the limit": ({"params": {"text_passes": 1025}}, "budget_too_large", "params.text_passes"),
    "parameters that contradict": (
        {"params": {"regions": [[1]], "boxes": [[0, 0, 1, 1]]}},
        "invalid_parameter",
        "params.boxes",
    ),
    "more passes than are accepted": (
        {"method": "m2ib", "params": {"steps": 1_000, "copies": 64}},
        "budget_too_large",
        "params",
    ),
    "a ragged label map": ({"params": {"regions": [[0, 1], [0]]}}, "invalid_parameter", "params.regions"),
    "one label": ({"params": {"regions": [[1]]}}, "invalid_parameter", "params.regions"),
    "a box without area": ({"params": {"boxes": [[5, 5, 5, 9]]}}, "invalid_parameter", "params.boxes.0"),
    "a box outside the image": (
        {"params": {"boxes": [[0, 0, 9, 9], [0, 32, 9, 40]]}},
        "invalid_parameter",
        "params.boxes.1",
    ),
    "a label in words": ({"params": {"regions": [[1, "sky"]]}}, "invalid_parameter", "params.regions.0.1"),
    "a map too wide": ({"params": {"regions": [[0] * 257]}}, "invalid_parameter", "params.regions.0"),
    "too many boxes": ({"params": {"boxes": [[0, 0, 1, 1]] * 65}}, "invalid_parameter", "params.boxes"),
    "a box of three": ({"params": {"boxes": [[0, 0, 1]]}}, "invalid_parameter", "params.boxes.0"),
    "params that are no object": ({"params": [1]}, "invalid_request", "params"),
    "metadata that is no object": ({"metadata": "x"}, "invalid_request", "metadata"),
    "metadata that is no text": ({"metadata": {"run": 7}}, "invalid_request", "metadata.run"),
    "long metadata": ({"metadata": {"run": "x" * 513}}, "invalid_request", "metadata.run"),
    "too much metadata": ({"metadata": {str(i): "x" for i in range(17)}}, "invalid_request", "metadata"),
}


@pytest.mark.parametrize("kind", BAD_FIELDS)
@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_a_bad_field_is_refused_by_name(
    client: TestClient, image_png: bytes, assert_nothing_left: Callable[[], None], kind: str, as_json: bool
) -> None:
    changed, code, field = BAD_FIELDS[kind]
    fields = {"caption": CAPTION, **changed}
    if as_json:
        response = client.post(URL, json={"image": base64.b64encode(image_png).decode(), **fields})
    else:
        texts = {name: json.dumps(value) if name in ("params", "metadata") else value for name, value in fields.items()}
        response = client.post(URL, files={"image": image_png}, data=texts)

    assert_problem(response, 422, code, field)
    assert_nothing_left()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_accepted_with_its_defaults_filled_in(
    client: TestClient, image_png: bytes, method: str
) -> None:
    response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION, "method": method})

    assert response.status_code == 202, response.text
    assert response.json()["method"] == method
    assert response.json()["params"].keys() == METHODS[method].parameters.model_fields.keys()


def test_auto_spends_what_the_service_accepts_and_no_more(client: TestClient, image_png: bytes) -> None:
    data = {"caption": CAPTION, "params": json.dumps({"budget": "auto"})}
    response = client.post(URL, files={"image": image_png}, data=data)

    assert response.status_code == 202, response.text
    assert (response.json()["params"]["budget"], response.json()["params"]["max_passes"]) == ("auto", 1024)


@pytest.mark.parametrize("method", [spec.name for spec in METHODS.values() if spec.needs_attention])
def test_a_method_that_reads_attention_needs_a_model_that_has_it(
    client: TestClient,
    backend: Backend,
    card: ModelCard,
    image_png: bytes,
    assert_nothing_left: Callable[[], None],
    method: str,
) -> None:
    backend.catalogue.announce(replace(card, attention=False).to_dict(), "w1", ttl_s=600)
    response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION, "method": method})

    assert_problem(response, 422, "method_unsupported", "method")
    assert "methods for it: fixlip" in response.json()["detail"]
    assert_nothing_left()


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_a_label_map_reaches_the_worker_whole_and_the_record_as_a_digest(
    client: TestClient, backend: Backend, image_png: bytes, as_json: bool
) -> None:
    labels = np.random.default_rng(0).integers(1000, 10_000, (256, 256)).tolist()
    params = {"regions": labels}
    if as_json:
        body = {"image": base64.b64encode(image_png).decode(), "caption": CAPTION, "params": params}
        response = client.post(URL, json=body)
    else:
        data = {"caption": CAPTION, "params": json.dumps(params)}
        response = client.post(URL, files={"image": image_png}, data=data)

    assert response.status_code == 202, response.text
    digest = hashlib.sha256(json.dumps(labels, separators=(",", ":")).encode()).hexdigest()
    assert response.json()["params"]["regions"] == f"sha256:{digest}"
    assert len(response.content) < 3_000
    stored = json.loads(inputs_of(backend, response.json()["id"])["params.json"])
    assert stored["regions"] == labels


def test_an_unknown_model_is_told_which_are_known(client: TestClient, image_png: bytes) -> None:
    response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION, "model": "x"})

    assert "demo" in response.json()["detail"]


def test_a_tokenizer_that_only_the_worker_has_is_no_obstacle(
    client: TestClient, backend: Backend, card: ModelCard, image_png: bytes
) -> None:
    """The worker counts the tokens then; what needs no tokenizer is refused at once."""
    elsewhere = replace(card, id="siglip", tokenizer="canonicalize:/only/there/tokenizer.json", n_marks=1)
    backend.catalogue.announce(elsewhere.to_dict(), "w2", ttl_s=600)
    form = {"model": "siglip", "caption": CAPTION}
    assert client.post(URL, files={"image": image_png}, data=form).status_code == 202

    response = client.post(URL, files={"image": image_png}, data={**form, "caption": "?!"})

    assert_problem(response, 422, "caption_without_words", "caption")


def test_without_any_announced_model_the_service_is_unavailable(app: FastAPI, image_png: bytes) -> None:
    with TestClient(app) as client:
        response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION})

    assert_problem(response, 503, "no_models")
    assert "Retry-After" in response.headers


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "json"])
def test_when_redis_is_down_nothing_is_left(tmp_path: Path, image_png: bytes, as_json: bool) -> None:
    settings = ServiceSettings(redis_url=f"unix://{tmp_path}/none.sock", data_dir=tmp_path / "data", auth="none")
    with TestClient(create_app(settings)) as client:
        if as_json:
            body = {"image": base64.b64encode(image_png).decode(), "caption": CAPTION}
            response = client.post(URL, json=body)
        else:
            response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION})

    assert_problem(response, 503, "redis_unavailable")
    assert "Retry-After" in response.headers
    assert list(tmp_path.rglob("*")) == []


def test_when_redis_goes_between_the_checks_and_the_queue_nothing_is_left(
    client: TestClient,
    backend: Backend,
    image_png: bytes,
    assert_nothing_left: Callable[[], None],
) -> None:
    # Out of memory, Redis still answers reads and refuses the transaction.
    backend.redis.config_set("maxmemory", 1)
    try:
        response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION})
    finally:
        backend.redis.config_set("maxmemory", 0)

    assert_problem(response, 503, "redis_unavailable")
    assert_nothing_left()


def test_when_the_disk_goes_along_with_redis_it_is_told_all_the_same(
    client: TestClient, backend: Backend, image_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go(*args: object, **kwargs: object) -> None:
        monkeypatch.setattr(Path, "rename", refuse)
        raise redis.ConnectionError("gone")

    def refuse(*args: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(JobRepository, "create", go)

    response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION})

    assert_problem(response, 503, "redis_unavailable")


def test_when_there_is_no_room_for_what_is_sent_it_is_told(
    client: TestClient, assert_nothing_left: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))

    response = client.post(URL, files={"image": bytes(2**21)}, data={"caption": CAPTION})

    assert_problem(response, 503, "storage_unavailable")
    assert_nothing_left()


def test_when_the_disk_refuses_nothing_is_queued(
    client: TestClient, backend: Backend, image_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    response = client.post(URL, files={"image": image_png}, data={"caption": CAPTION})

    assert_problem(response, 503, "storage_unavailable")
    assert backend.queue.depth() == 0
    assert backend.redis.keys("fixlip:job:*") == []
