from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

URL = "/v1/explanations"
CAPTION = "a red circle"
BOUNDARY = "x"


def form(*parts: tuple[str, bytes]) -> bytes:
    """A form's body from parts, each with the rest of its Content-Disposition and its content."""
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
    return b"".join(head + rest.encode() + b"\r\n\r\n" + data + b"\r\n" for rest, data in parts) + b"--x--\r\n"


BAD_BODIES: dict[str, tuple[str, bytes, int, str]] = {
    "no content type": ("", b"{}", 415, "unsupported_content_type"),
    "plain text": ("text/plain", b"hello", 415, "unsupported_content_type"),
    "a URL-encoded form": ("application/x-www-form-urlencoded", b"caption=x", 415, "unsupported_content_type"),
    "a bare image": ("image/png", b"\x89PNG", 415, "unsupported_content_type"),
    "empty JSON": ("application/json", b"", 400, "malformed_json"),
    "half of JSON": ("application/json", b'{"caption": "a re', 400, "malformed_json"),
    "JSON that is no UTF-8": ("application/json", b'{"caption": "\xff\xfe"}', 400, "malformed_json"),
    "a lone surrogate": ("application/json", b'{"caption": "\\ud800"}', 400, "malformed_json"),
    "NaN": ("application/json", b'{"image": "", "caption": "x", "params": {"p": NaN}}', 400, "malformed_json"),
    "infinity": (
        "application/json",
        b'{"image": "", "caption": "x", "params": {"p": Infinity}}',
        400,
        "malformed_json",
    ),
    "a number beyond doubles": (
        "application/json",
        b'{"image": "iVBORw0K", "caption": "x", "params": {"p": 1e999}}',
        422,
        "invalid_parameter",
    ),
    "a number of 5,000 digits": (
        "application/json",
        b'{"image": "iVBORw0K", "caption": "x", "params": {"seed": ' + b"9" * 5_000 + b"}}",
        400,
        "malformed_json",
    ),
    "JSON nested deep": ("application/json", b"[" * 100_000, 400, "malformed_json"),
    "a JSON array": ("application/json", b"[]", 422, "invalid_request"),
    "a JSON string": ("application/json", b'"x"', 422, "invalid_request"),
    "an empty object": ("application/json", b"{}", 422, "invalid_request"),
    "an image of nothing": ("application/json", b'{"image": null, "caption": "x"}', 422, "image_source"),
    "two images, one of nothing": (
        "application/json",
        b'{"image": "iVBORw0K", "image_url": null, "caption": "x"}',
        422,
        "image_source",
    ),
    "more fields than there are": (
        "application/json",
        json.dumps(dict.fromkeys(map(str, range(17)))).encode(),
        422,
        "too_many_fields",
    ),
    "long JSON without an image": (
        "application/json",
        b'{"caption": "' + b"x" * 600_000 + b'"}',
        413,
        "body_too_large",
    ),
    "millions of values": ("application/json", b'{"params": [' + b"[]," * 600_000 + b"[]]}", 413, "body_too_large"),
    "an image of a number": ("application/json", b'{"image": 5, "caption": "x"}', 422, "invalid_request"),
    "a form without boundary": ("multipart/form-data", b"--x\r\n", 400, "malformed_multipart"),
    "a form that is none": ("multipart/form-data; boundary=x", b"hello", 400, "malformed_multipart"),
    "a form in a codec that takes minutes": (
        "multipart/form-data; boundary=x; charset=punycode",
        form(('name="caption"', b"a-" + b"ba" * 250_000)),
        400,
        "malformed_multipart",
    ),
    "a form in a codec that makes no text": (
        "multipart/form-data; boundary=x; charset=unicode_escape",
        form(('name="params"', rb'"\ud800"')),
        400,
        "malformed_multipart",
    ),
    "a form in a codec that always fails": (
        'multipart/form-data; boundary=x; charset="undefined"',
        form(('name="caption"', b"a red circle")),
        400,
        "malformed_multipart",
    ),
    "a form of nothing": ("multipart/form-data; boundary=x", b"--x--\r\n", 422, "invalid_request"),
    "a caption as file": (
        "multipart/form-data; boundary=x",
        form(('name="caption"; filename="c.txt"', b"a red circle")),
        422,
        "wrong_part",
    ),
    "an image as text": ("multipart/form-data; boundary=x", form(('name="image"', b"iVBORw0K")), 422, "wrong_part"),
    "two captions": (
        "multipart/form-data; boundary=x",
        form(('name="caption"', b"a red circle"), ('name="caption"', b"a blue square")),
        422,
        "repeated_field",
    ),
    "params that are no JSON": (
        "multipart/form-data; boundary=x",
        form(('name="params"', b"p=0.5")),
        400,
        "malformed_json",
    ),
    "NaN in a form": ("multipart/form-data; boundary=x", form(('name="params"', b'{"p": NaN}')), 400, "malformed_json"),
}


@pytest.mark.parametrize("kind", BAD_BODIES)
def test_a_bad_body_is_refused(client: TestClient, assert_nothing_left: Callable[[], None], kind: str) -> None:
    content_type, body, status, code = BAD_BODIES[kind]

    response = client.post(URL, content=body, headers={"Content-Type": content_type} if content_type else {})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert_nothing_left()


def test_a_form_may_say_that_it_is_utf_8(client: TestClient, image_png: bytes) -> None:
    body = form(('name="image"; filename="x.png"', image_png), ('name="caption"', "ein rotes Gebüsch".encode()))

    response = client.post(
        URL, content=body, headers={"Content-Type": "multipart/form-data; boundary=x; charset=UTF-8"}
    )

    assert response.status_code == 202
    assert response.json()["input"]["caption"] == "ein rotes Gebüsch"


@pytest.mark.parametrize("image", ["not base64!", "iVBORw0KGgo", "iVBO\nRw0K", "data:image/png;base64,iVBORw0K", "é"])
def test_malformed_base64_is_refused(client: TestClient, image: str, assert_nothing_left: Callable[[], None]) -> None:
    response = client.post(URL, json={"image": image, "caption": CAPTION})

    assert (response.status_code, response.json()["code"]) == (422, "malformed_base64")
    assert [error["field"] for error in response.json()["errors"]] == ["image"]
    assert_nothing_left()


@pytest.mark.parametrize(("missing", "code"), [("image", "image_source"), ("caption", "missing")])
def test_a_missing_field_is_named(client: TestClient, image_png: bytes, missing: str, code: str) -> None:
    body: dict[str, Any] = {"image": base64.b64encode(image_png).decode(), "caption": CAPTION}
    del body[missing]

    problem = client.post(URL, json=body).json()

    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(missing, code)]


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_parameters_and_case_of_the_content_type_do_not_matter(
    client: TestClient, image_png: bytes, content_type: str
) -> None:
    body = json.dumps({"image": base64.b64encode(image_png).decode(), "caption": CAPTION})

    assert client.post(URL, content=body, headers={"Content-Type": content_type}).status_code == 202


def test_a_caption_keeps_its_own_letters(client: TestClient, image_png: bytes) -> None:
    caption = "ein roter Kreis, красный круг, 赤い円"

    response = client.post(URL, files={"image": image_png}, data={"caption": caption})

    assert response.json()["input"]["caption"] == caption


def test_of_thousands_of_faults_some_are_told(client: TestClient) -> None:
    metadata = {str(number): number for number in range(5_000)}
    answer = client.post(URL, json={"image": "iVBORw0K", "caption": CAPTION, "metadata": metadata})
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 32
    assert len(answer.content) < 20_000
