from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.jobs.batches.records import BatchItem, BatchRow, BatchStatus, ItemStatus
from service.jobs.records import Job, JobFailure, JobInput, JobMetrics, JobModel, JobScore, JobStatus
from service.jobs.storage.bundle import Bundle
from service.tables.columns import COLUMNS
from service.tables.csv_table import csv_lines
from service.tables.lines import json_lines
from service.tables.parquet_table import write_parquet
from service.tables.summary import BatchSummary, summarise_batch
from tests.support.jobs import OUTPUT

BATCH = "b" * 32
MODEL = JobModel(id="demo", revision="sha256:0123")


def score(value: float | None, **changes: Any) -> JobScore:
    fields: dict[str, Any] = {"metric": "faithfulness", "name": "r2", "value": value, "higher_is_better": True}
    return JobScore(**{**fields, **changes})


def row(
    index: int,
    *scores: JobScore,
    pair: str = "pair",
    method: str = "fixlip",
    params: dict[str, Any] | None = None,
    caption: str = "a dog",
    **job: Any,
) -> BatchRow:
    """An item that has succeeded with these scores."""
    item = BatchItem(
        custom_id=f"item-{index}",
        pair_id=pair,
        model=MODEL,
        method=method,
        params=params or {},
        input=JobInput(image_sha256="0" * 64, caption=caption),
        inputs=Bundle(digest="0" * 64, size_bytes=1),
    )
    made = Job(
        id=f"{index:032x}",
        status=JobStatus.SUCCEEDED,
        model=MODEL,
        method=method,
        params=item.params,
        input=item.input,
        output=OUTPUT.model_copy(update={"evaluation": scores}),
        metrics=JobMetrics(queue_s=0.5, run_s=2.0, forward_passes=100, evaluation_passes=7),
        **job,
    )
    return BatchRow(index, item, ItemStatus.SUCCEEDED, made.id, made)


def failed(index: int, **changes: Any) -> BatchRow:
    good = row(index, **changes)
    return BatchRow(
        index, good.item, ItemStatus.FAILED, good.job_id, error=JobFailure(code="out_of_memory", detail="no room")
    )


def csv_of(rows: list[BatchRow]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(csv_lines(BATCH, [rows])).decode(), newline="")))


def table_of(pages: Iterable[list[BatchRow]]) -> pa.Table:
    buffer = io.BytesIO()
    write_parquet(BATCH, pages, buffer)
    return pq.read_table(io.BytesIO(buffer.getvalue()))


def summary_of(*rows: BatchRow) -> BatchSummary:
    return summarise_batch(BATCH, BatchStatus.SUCCEEDED, [list(rows)])


ROWS = [
    row(0, score(0.5, ci_low=0.25, ci_high=0.75), score(None, name="pearson", note="it has none"), params={"p": 0.5}),
    row(1),
    failed(2, caption='=HYPERLINK("http://example.com")'),
]


def test_csv_has_a_row_for_each_score_and_one_for_an_explanation_without() -> None:
    found = csv_of(ROWS)
    assert [(line["custom_id"], line["score"]) for line in found] == [
        ("item-0", "r2"),
        ("item-0", "pearson"),
        ("item-1", ""),
        ("item-2", ""),
    ]
    first = found[0]
    assert first.keys() == {column.name for column in COLUMNS}
    assert (first["value"], first["ci_low"], first["higher_is_better"]) == ("0.5", "0.25", "true")
    assert (first["batch_id"], first["params"], first["forward_passes"]) == (BATCH, '{"p":0.5}', "100")
    assert (found[1]["value"], found[1]["note"]) == ("", "it has none")
    assert (found[3]["status"], found[3]["error"], found[3]["run_s"]) == ("failed", "out_of_memory", "")


@pytest.mark.parametrize("caption", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"])
def test_no_text_of_csv_is_a_formula(caption: str) -> None:
    assert csv_of([row(0, caption=caption)])[0]["caption"] == f"'{caption}"


def test_a_number_of_csv_stays_one() -> None:
    assert csv_of([row(0, score(-0.1234567890123456))])[0]["value"] == "-0.1234567890123456"


def test_texts_of_csv_may_have_lines_and_marks() -> None:
    caption = 'a "dog",\r\non a café'
    assert csv_of([row(0, caption=caption)])[0]["caption"] == caption


def test_parquet_has_types_and_nothing_is_quoted() -> None:
    table = table_of([ROWS[:1], [], ROWS[1:]])
    kinds = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    assert {field.name: field.type for field in table.schema} == {column.name: kinds[column.kind] for column in COLUMNS}
    assert table["custom_id"].to_pylist() == ["item-0", "item-0", "item-1", "item-2"]
    assert table["value"].to_pylist() == [0.5, None, None, None]
    assert table["higher_is_better"].to_pylist() == [True, True, None, None]
    assert table["caption"].to_pylist()[3] == '=HYPERLINK("http://example.com")'
    assert table["forward_passes"].to_pylist() == [100, 100, 100, None]


def test_parquet_of_nothing_has_its_columns() -> None:
    table = table_of([])
    assert (table.num_rows, table.column_names) == (0, [column.name for column in COLUMNS])


def test_a_line_has_all_of_an_explanation() -> None:
    lines = [json.loads(line) for line in b"".join(json_lines([ROWS], explanations="/v1/x")).splitlines()]
    assert [(line["index"], line["custom_id"], line["status"]) for line in lines] == [
        (0, "item-0", "succeeded"),
        (1, "item-1", "succeeded"),
        (2, "item-2", "failed"),
    ]
    explanation = lines[0]["explanation"]
    assert explanation["output"]["evaluation"][0]["value"] == 0.5
    assert explanation["urls"]["result"] == f"/v1/x/{lines[0]['job_id']}/result"
    assert (lines[2]["explanation"], lines[2]["error"]["code"]) == (None, "out_of_memory")


def test_the_summary_is_of_ways_and_their_scores() -> None:
    values = [0.5, 0.75, 1.0]
    found = summary_of(*(row(i, score(value), pair=f"pair-{i}") for i, value in enumerate(values)), failed(3))

    (way,) = found.ways
    assert (way.succeeded, way.failed, way.mean_forward_passes, way.mean_run_s) == (3, 1, 100.0, 2.0)
    (scored,) = found.scores
    assert (scored.way, scored.score, scored.n, scored.mean) == (0, "r2", 3, 0.75)
    assert scored.std_error == pytest.approx(0.25 / math.sqrt(3))
    assert scored.ci_low is not None
    assert scored.ci_high is not None
    assert scored.ci_low < 0.75 < scored.ci_high
    assert found.comparisons == []


def test_seeds_are_repetitions_of_a_pair() -> None:
    found = summary_of(*(row(seed, score(0.25 * seed), params={"p": 0.5, "seed": seed}) for seed in range(5)))
    assert [way.params for way in found.ways] == [{"p": 0.5}]
    assert [(one.n, one.mean, one.std_error) for one in found.scores] == [(1, 0.5, None)]


def test_cached_answers_took_nothing() -> None:
    found = summary_of(row(0), row(1, cached=True))
    assert (found.ways[0].succeeded, found.ways[0].mean_run_s) == (2, 2.0)
    assert summary_of(row(1, cached=True)).ways[0].mean_run_s is None


def test_two_ways_are_compared_on_the_pairs_that_both_have() -> None:
    one = [row(i, score(value), pair=f"pair-{i}") for i, value in enumerate([0.9, 0.8, 0.7, 0.6])]
    other = [row(10 + i, score(value), pair=f"pair-{i}", method="nib") for i, value in enumerate([0.5, 0.8, 0.9, None])]
    found = summary_of(*one, *other, row(20, score(0.1), pair="alone", method="nib"))

    (compared,) = found.comparisons
    assert (compared.a, compared.b, compared.n) == (0, 1, 3)
    assert (compared.wins, compared.losses, compared.ties) == (1, 1, 1)
    assert compared.mean_difference == pytest.approx((0.4 + 0.0 - 0.2) / 3)
    assert [scored.n_missing for scored in found.scores] == [0, 1]


def test_the_lesser_value_wins_where_it_is_better() -> None:
    changes: dict[str, Any] = {"metric": "confidence", "name": "image_drop", "higher_is_better": False}
    found = summary_of(row(0, score(0.1, **changes)), row(1, score(0.2, **changes), method="nib"))
    (compared,) = found.comparisons
    assert (compared.wins, compared.losses, compared.ci_low) == (1, 0, None)
