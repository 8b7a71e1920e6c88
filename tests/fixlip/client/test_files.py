from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixlip.client import Client, JobNotSucceededError, ServiceError, UnexpectedAnswerError, UnreachableError
from fixlip_core.formats import to_npz_bytes
from tests.fixlip.client.conftest import Connect
from tests.support.explanations import pair_attribution
from tests.support.scripted_service import Reply, ScriptedService, job, problem

LINKS = {
    "report_html": "/v1/x/report.html",
    "view": "/v1/x/view.png",
    "maps": {"graph": "/v1/x/maps/graph.png", "token-0": "http://elsewhere.example/"},
    "maps_svg": {"graph": "/v1/x/maps/graph.svg"},
}
RESULTS = ["interactions.npz", "interactions.json", "result.json", "audit.json"]
NAMES = [*RESULTS, "report.html", "view.png", "maps/graph.png", "maps/token-0.png", "maps/graph.svg"]


def body(data: bytes, *, is_cut: bool = False) -> Reply:
    return Reply(200, data, media_type="application/octet-stream", is_cut=is_cut)


def test_download(client: Client, service: ScriptedService, tmp_path: Path) -> None:
    service.will(job("succeeded", urls=LINKS), *(body(name.encode()) for name in NAMES))
    paths = client.download("a", tmp_path / "new" / "out")
    assert [path.relative_to(tmp_path / "new" / "out").as_posix() for path in paths] == NAMES
    assert [path.read_text() for path in paths] == NAMES
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(paths)
    asked = [request.path.rpartition("0" * 32)[2] for request in service.requests[1:]]
    assert asked == [f"/{name.removesuffix('.json') if name == 'result.json' else name}" for name in NAMES]


def test_a_broken_download_is_done_again(client: Client, service: ScriptedService, tmp_path: Path) -> None:
    service.will(job("succeeded"), body(b"half of", is_cut=True), problem(503), *[body(b"whole")] * len(RESULTS))
    client.download("a", tmp_path)
    assert (tmp_path / "interactions.npz").read_bytes() == b"whole"


def test_what_was_there_stays_until_there_is_something_whole(
    connect: Connect, service: ScriptedService, tmp_path: Path
) -> None:
    (tmp_path / "interactions.npz").write_bytes(b"older")
    service.will(job("succeeded"), body(b"half of", is_cut=True))
    with pytest.raises(UnreachableError):
        connect(service.url, retry_for_s=0).download("a", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["interactions.npz"]
    assert (tmp_path / "interactions.npz").read_bytes() == b"older"


def test_a_refused_download(client: Client, service: ScriptedService, tmp_path: Path) -> None:
    service.will(job("succeeded"), problem(409, "no_result"))
    with pytest.raises(ServiceError, match="told no_result"):
        client.download("a", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_job_without_files(client: Client, service: ScriptedService, tmp_path: Path) -> None:
    service.will(job("running"))
    with pytest.raises(JobNotSucceededError):
        client.download("a", tmp_path)


@pytest.mark.parametrize("name", ["../../.bashrc", "/etc/passwd", "..", "", "a/b", ".hidden", "a\0b"])
def test_no_name_leads_out_of_the_folder(client: Client, service: ScriptedService, tmp_path: Path, name: str) -> None:
    service.will(job("succeeded", urls={"maps": {name: "/v1/x"}}))
    with pytest.raises(UnexpectedAnswerError, match="is no file's name"):
        client.download("a", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_interactions_as_arrays(client: Client, service: ScriptedService) -> None:
    explanation = pair_attribution()
    service.will(body(to_npz_bytes(explanation)))
    interactions = client.interactions("a")
    assert np.array_equal(interactions.first, explanation.first)
    assert np.array_equal(interactions.second, explanation.second)
    assert np.array_equal(interactions.second_std_error, explanation.second_std_error, equal_nan=True)
    assert tuple(interactions.header["tokens"]) == explanation.tokens


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_interactions_that_are_none(client: Client, service: ScriptedService, data: bytes) -> None:
    service.will(body(data))
    with pytest.raises(UnexpectedAnswerError, match="cannot be read"):
        client.interactions("a")


def test_the_audit_record(client: Client, service: ScriptedService) -> None:
    service.will(Reply(200, b'{"format": "fixlip-audit", "version": 1}'), Reply(200, b"[]"))
    assert client.audit("0" * 32) == {"format": "fixlip-audit", "version": 1}
    assert service.requests[0].path == f"/v1/explanations/{'0' * 32}/audit.json"
    with pytest.raises(UnexpectedAnswerError):
        client.audit("0" * 32)


def test_what_is_drawn(client: Client, service: ScriptedService) -> None:
    service.will(Reply(200, b'{"format": 1}'), Reply(200, b'{"format": 1}'), body(b"<!doctype html>"), body(b"png"))
    assert client.report("a") == client.report("a", pairs=False) == {"format": 1}
    assert (client.report_html("a"), client.view("a")) == (b"<!doctype html>", b"png")
    asked = [request.path.removeprefix("/v1/explanations/a/") for request in service.requests]
    assert asked == ["report.json", "report.json?pairs=false", "report.html", "view.png"]
