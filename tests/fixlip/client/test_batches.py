"""Batches by both clients, of a real service with a worker."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from fixlip.client import BatchTimeoutError, Client, ConflictError, InvalidRequestError, NotFoundError, ServiceError
from tests.fixlip.client.conftest import Connect
from tests.support.jobs import PARAMS, png

SMALL = {"budget": 32}


@pytest.fixture
def real(connect: Connect, service_url: str) -> Client:
    return connect(service_url)


def pairs(tmp_path: Path) -> list[dict[str, Any]]:
    """One image as bytes, one as a file."""
    path = tmp_path / "second.png"
    path.write_bytes(png(seed=1))
    return [
        {"custom_id": "first", "image": png(), "caption": "a red circle"},
        {"custom_id": "second", "image": path, "caption": "a dog"},
    ]


def test_from_submission_to_tables(real: Client, tmp_path: Path) -> None:
    methods = [{"method": "fixlip", "params": SMALL}, {"method": "fixlip", "params": {**SMALL, "p": 0.7}}]
    batch = real.batches.submit(
        pairs=pairs(tmp_path), methods=methods, evaluate=["faithfulness"], metadata={"set": "small"}
    )
    assert (batch.request_counts.total, batch.metadata) == (4, {"set": "small"})

    states = list(real.batches.follow(batch))
    assert (states[-1].status, states[-1].request_counts.completed) == ("succeeded", 4)
    assert real.batches.wait(batch.id) == states[-1]
    assert batch.id in [one.id for one in real.batches.newest(page_size=1)]

    paths = real.batches.download(batch, tmp_path / "out")
    assert [path.name for path in paths] == ["results.jsonl", "table.csv", "table.parquet", "summary.json"]
    lines = [json.loads(line) for line in paths[0].read_text().splitlines()]
    assert [line["pair_id"] for line in lines] == ["first", "first", "second", "second"]
    with paths[1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["score"] for row in rows} >= {"r2", "pearson", "spearman"}
    summary = real.batches.summary(batch)
    assert [way.params["p"] for way in summary.ways] == [0.5, 0.7]
    assert {(one.n, one.wins + one.losses + one.ties) for one in summary.comparisons} == {(2, 2)}

    real.batches.delete(batch)
    with pytest.raises(NotFoundError):
        real.batches.get(batch)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_a_manifest_beside_its_images(real: Client, tmp_path: Path, kind: str) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(png())
    (tmp_path / "unnamed.bin").write_bytes(bytes(10))
    line: dict[str, Any] = {"image": "pictures/a.png", "caption": "a dog", "params": SMALL}
    text = {
        "csv": "image,caption,params\n" + ",".join([line["image"], line["caption"], '"{""budget"": 32}"']),
        "jsonl": json.dumps(line),
        "json": json.dumps({"items": [line]}),
    }[kind]
    manifest = tmp_path / f"manifest.{kind}"
    manifest.write_text(text)
    batch = real.batches.submit(manifest=manifest, images=tmp_path)
    assert real.batches.wait(batch, within_s=60).request_counts.completed == 1


def test_what_is_wrong_is_told_by_its_place(real: Client, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        real.batches.submit(items=[{"image": png(), "caption": ""}])
    assert [(entry.field, entry.code) for entry in caught.value.errors] == [("items[0].caption", "caption_empty")]
    with pytest.raises(ServiceError, match="exactly one"):
        real.batches.submit(items=[], pairs=[])
    (tmp_path / "m.csv").write_text("image,caption\n../../etc/passwd,a dog\n")
    with pytest.raises(InvalidRequestError) as caught:
        real.batches.submit(manifest=tmp_path / "m.csv", images=tmp_path)
    assert [entry.code for entry in caught.value.errors] == ["image_not_in_archive"]


def test_a_batch_is_canceled(real: Client) -> None:
    items: list[dict[str, Any]] = [
        {"image": png(), "caption": f"a dog {number}", "params": {**PARAMS, "budget": 512}} for number in range(40)
    ]
    batch = real.batches.submit(items=items)
    with pytest.raises(BatchTimeoutError) as caught:
        real.batches.wait(batch, within_s=0.01)
    assert caught.value.batch.id == batch.id
    with pytest.raises(ConflictError):
        real.batches.retry(batch)
    real.batches.cancel(batch)
    ended = real.batches.wait(batch, within_s=60)
    assert ended.request_counts.canceled > 0
    assert real.batches.cancel(batch).id == batch.id
    real.batches.delete(batch)


def test_the_same_key_gives_the_same_batch(real: Client) -> None:
    item = {"image": png(), "caption": "a dog", "params": SMALL}
    first, second = (real.batches.submit(items=[item], idempotency_key=f"{id(real)}-once") for _ in range(2))
    assert first.id == second.id
