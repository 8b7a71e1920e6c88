from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from service.backend import Backend
from service.jobs.batches.records import BatchRow
from service.jobs.records import JobFailure, JobMetrics, JobScore
from tests.service.routers.test_batches import URL, created, item
from tests.support.jobs import OUTPUT, RESULTS

METHODS = [{"params": {"budget": 16}}, {"method": "grad_eclip"}]


@pytest.fixture
def batch(client: TestClient) -> dict[str, Any]:
    """Two pairs, two ways to explain each."""
    pairs = [{"custom_id": text, "image": item()["image"], "caption": text} for text in ("dog", "cat")]
    return created(client.post(URL, json={"pairs": pairs, "methods": METHODS, "evaluate": ["faithfulness"]}))


@pytest.fixture
def end(backend: Backend, batch: dict[str, Any]) -> Callable[[int, float | None], BatchRow]:
    """Ends an item with a score; without one, it fails."""

    def end(index: int, value: float | None) -> BatchRow:
        (row,) = backend.batches.rows(batch["id"], index, 1)
        claim = backend.repository.claim(row.job_id, "w1", ttl_s=60)
        assert claim is not None
        metrics = JobMetrics(run_s=1.0, forward_passes=10)
        if value is None:
            assert backend.repository.fail(claim.lease, JobFailure(code="out_of_memory", detail="no room"), metrics)
        else:
            scores = (JobScore(metric="faithfulness", name="pearson", value=value, higher_is_better=True),)
            output = OUTPUT.model_copy(update={"evaluation": scores})
            assert backend.repository.succeed(claim.lease, output, metrics, results=RESULTS)
        return row

    return end


def test_while_it_runs_there_is_what_has_ended(
    client: TestClient, batch: dict[str, Any], end: Callable[[int, float | None], BatchRow]
) -> None:
    urls = batch["urls"]
    nothing = client.get(urls["results"])
    assert (nothing.text, nothing.headers["Batch-Status"]) == ("", "queued")
    assert len(client.get(urls["table_csv"]).text.splitlines()) == 1

    end(2, 0.5)
    some = client.get(urls["results"])
    (line,) = map(json.loads, some.text.splitlines())
    assert (line["index"], line["pair_id"], some.headers["Batch-Status"]) == (2, "cat", "running")
    assert pq.read_table(io.BytesIO(client.get(urls["table_parquet"]).content))["value"].to_pylist() == [0.5]


def test_in_brief_there_are_captions_and_scores(
    client: TestClient, batch: dict[str, Any], end: Callable[[int, float | None], BatchRow]
) -> None:
    end(0, 0.9)
    end(3, None)
    results = batch["urls"]["results"]
    first, last = (json.loads(line) for line in client.get(results, params={"brief": True}).text.splitlines())
    whole = json.loads(client.get(results).text.splitlines()[0])
    assert first["scores"] == whole.pop("explanation")["output"]["evaluation"]
    assert first == {**whole, "caption": "dog", "scores": first["scores"]}
    assert (last["caption"], last["scores"], last["error"]["code"]) == ("cat", [], "out_of_memory")
    for word in ("some", "1", "True"):
        assert client.get(results, params={"brief": word}).json()["errors"][0]["field"] == "query.brief"


def test_in_the_end_there_is_all(
    client: TestClient, batch: dict[str, Any], end: Callable[[int, float | None], BatchRow]
) -> None:
    for index, value in enumerate([0.9, 0.4, 0.8, None]):
        end(index, value)
    urls = batch["urls"]

    lines = [json.loads(line) for line in client.get(urls["results"]).text.splitlines()]
    assert [(line["custom_id"], line["status"]) for line in lines] == [
        ("dog:fixlip", "succeeded"),
        ("dog:grad_eclip", "succeeded"),
        ("cat:fixlip", "succeeded"),
        ("cat:grad_eclip", "failed"),
    ]
    assert client.get(lines[0]["explanation"]["urls"]["self"]).json() == lines[0]["explanation"]

    answer = client.get(urls["table_csv"])
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [(row["method"], row["value"]) for row in rows] == [
        ("fixlip", "0.9"),
        ("grad_eclip", "0.4"),
        ("fixlip", "0.8"),
        ("grad_eclip", ""),
    ]
    assert pq.read_table(io.BytesIO(client.get(urls["table_parquet"]).content)).num_rows == 4

    summary = client.get(urls["summary"]).json()
    assert [(way["method"], way["succeeded"], way["failed"]) for way in summary["ways"]] == [
        ("fixlip", 2, 0),
        ("grad_eclip", 1, 1),
    ]
    assert [(score["way"], score["n"]) for score in summary["scores"]] == [(0, 2), (1, 1)]
    (compared,) = summary["comparisons"]
    assert (compared["wins"], compared["losses"], compared["n"]) == (1, 0, 1)


def test_what_it_consists_of_may_be_lost(client: TestClient, backend: Backend, batch: dict[str, Any]) -> None:
    for path in backend.settings.data_dir.rglob("*"):
        if path.is_file():
            path.unlink()
    for name in ("results", "table_csv", "table_parquet", "summary"):
        response = client.get(batch["urls"][name])
        assert (response.status_code, response.json()["code"]) == (404, "artifact_not_found")
