"""``fixlip batch`` against a service with a worker."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.jobs import png
from tests.support.processes import fixlip


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two pairs, and the images beside them."""
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(png(seed=number))
    path = tmp_path / "manifest.csv"
    path.write_text("image,caption\n0.png,a red circle\n1.png,a dog\n")
    return path


def test_from_a_manifest_to_tables(service_url: str, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = fixlip(
        *("batch", "submit", str(manifest), "--url", service_url, "--out", str(out)),
        *("--methods", "fixlip:budget=32,fixlip:budget=32+p=0.7", "--evaluate", "faithfulness"),
    )
    assert done.returncode == 0, done.stderr
    batch = re.search(r"batch ([0-9a-f]{32}): 4 explanations", done.stdout)
    assert batch is not None
    assert "4/4" in done.stdout
    assert {path.name for path in out.iterdir()} == {"results.jsonl", "table.csv", "table.parquet", "summary.json"}
    assert len((out / "results.jsonl").read_text().splitlines()) == 4
    summary = json.loads((out / "summary.json").read_text())
    assert [way["succeeded"] for way in summary["ways"]] == [2, 2]
    assert "p=0.7" in done.stdout
    assert "pearson" in done.stdout

    listed = fixlip("batch", "list", "--url", service_url, "--limit", "1")
    assert batch[1] in listed.stdout
    again = fixlip("batch", "results", batch[1], "--url", service_url, "--out", str(tmp_path / "again"))
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again" / "table.csv").read_bytes() == (out / "table.csv").read_bytes()
    refused = fixlip("batch", "retry", batch[1], "--url", service_url)
    assert (refused.returncode, "has failed or was canceled" in refused.stderr) == (1, True)
    assert fixlip("batch", "delete", batch[1], "--url", service_url).stdout == f"the batch {batch[1]} is removed\n"


def test_a_batch_that_is_not_waited_for_is_canceled(service_url: str, manifest: Path) -> None:
    done = fixlip(
        *("batch", "submit", str(manifest), "--url", service_url, "--no-wait", "--methods", "fixlip:budget=1024"),
        *(word for seed in range(20) for word in ("--seed", str(seed))),
    )
    batch = re.search(r"batch ([0-9a-f]{32}): 40 explanations\nin the browser: (.*)\n$", done.stdout)
    assert batch is not None, done.stdout + done.stderr
    assert batch[2] == f"{service_url}/#/batches/{batch[1]}"
    canceled = fixlip("batch", "cancel", batch[1], "--url", service_url)
    assert re.match(rf"of batch {batch[1]}, \d+ items are canceled", canceled.stdout), canceled.stderr
    waited = fixlip("batch", "wait", batch[1], "--url", service_url, "--out", str(manifest.parent / "out"))
    assert waited.returncode == 0, waited.stderr
    assert "canceled" in waited.stdout


def test_what_is_wrong_is_one_line(service_url: str, manifest: Path) -> None:
    manifest.write_text("image,caption\n0.png,\n")
    done = fixlip("batch", "submit", str(manifest), "--url", service_url)
    assert done.returncode == 1
    assert "items[0].caption" in done.stderr
    wrong = fixlip("batch", "submit", str(manifest), "--methods", "beauty", "--url", service_url)
    assert (wrong.returncode, "beauty" in wrong.stderr) == (1, True)
