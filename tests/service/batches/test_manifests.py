from __future__ import annotations

import io
from typing import Any

import pytest

from fixlip_core.errors import InputError
from service.batches.manifests import MAX_DOCUMENT_BYTES, read_csv, read_document, read_lines
from service.problems import ProblemError


def rows(text: str) -> list[dict[str, Any]]:
    return list(read_csv(io.BytesIO(text.encode()), kind="items"))


def test_a_row_of_csv_is_the_object_that_a_line_of_json_would_be() -> None:
    found = rows(
        "image,caption,params,evaluate,metadata.split,model\r\n"
        'a.png,"a dog, on a sofa","{""budget"": 64}",aid sanity,test,\r\n'
    )
    assert found == [
        {
            "image": "a.png",
            "caption": "a dog, on a sofa",
            "params": {"budget": 64},
            "evaluate": ["aid", "sanity"],
            "metadata": {"split": "test"},
        }
    ]


def test_csv_of_a_spreadsheet_has_a_mark_before_it_and_empty_rows() -> None:
    assert rows("\ufeffimage,caption\na.png,a dog\n,\n\nb.png,a cat\n") == [
        {"image": "a.png", "caption": "a dog"},
        {"image": "b.png", "caption": "a cat"},
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("image,image\na,b\n", "malformed_csv"),
        ("image,\na,b\n", "malformed_csv"),
        (",".join(map(str, range(65))) + "\n", "malformed_csv"),
        ("image,caption\na,b,c\n", "malformed_csv"),
        ('image,caption\na,"b\n', "malformed_csv"),
        ("image,params\na,{\n", "malformed_json"),
        ("image,caption\na," + "b" * 200_000 + "\n", "malformed_csv"),
    ],
)
def test_csv_that_cannot_be_read_is_told(text: str, code: str) -> None:
    with pytest.raises((InputError, ProblemError)) as caught:
        rows(text)
    assert getattr(caught.value, "code", None) == code


def test_csv_must_be_utf_8() -> None:
    with pytest.raises(ProblemError) as caught:
        list(read_csv(io.BytesIO("image,caption\na,café\n".encode("latin-1")), kind="items"))
    assert caught.value.code == "malformed_csv"


def test_lines_are_read_one_after_the_other() -> None:
    file = io.BytesIO(b'{"a": 1}\n\n  \r\n{"a": 2}')
    lines = read_lines(file, kind="items", max_line_bytes=8)
    assert next(lines) == {"a": 1}
    assert file.tell() == 9
    assert list(lines) == [{"a": 2}]


def test_a_line_may_not_be_longer_than_a_request() -> None:
    with pytest.raises(ProblemError) as caught:
        list(read_lines(io.BytesIO(b'{"a": 1}\n{"a": 10}'), kind="items", max_line_bytes=8))
    assert (caught.value.status, caught.value.code) == (413, "body_too_large")


def test_a_line_that_is_no_json_is_told_by_its_number_among_those_that_say_something() -> None:
    with pytest.raises(ProblemError) as caught:
        list(read_lines(io.BytesIO(b'\n{"a": 1}\n\n{\n'), kind="pairs", max_line_bytes=8))
    assert (caught.value.code, caught.value.errors[0].field) == ("malformed_json", "pairs[1]")


def test_a_cell_that_is_no_json_is_told_by_its_row_among_those_that_say_something() -> None:
    table = io.BytesIO(b"image,metadata\na.png,\n,,,\n\nb.png,{\n")
    with pytest.raises(ProblemError) as caught:
        list(read_csv(table, kind="pairs"))
    assert caught.value.errors[0].field == "pairs[1].metadata"


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"items": [], "pairs": []}', b'{"items": {}}'])
def test_a_document_has_items_or_pairs(text: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_document(io.BytesIO(text), field="body")
    assert caught.value.code == "invalid_batch"


@pytest.mark.parametrize("data", [b" " * (MAX_DOCUMENT_BYTES + 1), b"[" * 1_100_000], ids=["bytes", "values"])
def test_a_document_may_not_fill_the_memory(data: bytes) -> None:
    with pytest.raises(ProblemError) as caught:
        read_document(io.BytesIO(data), field="body")
    assert (caught.value.status, caught.value.code) == (413, "body_too_large")
