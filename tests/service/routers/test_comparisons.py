from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from fixlip_core.comparison import Comparison, Subject, compare
from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_npz_bytes
from fixlip_core.rendering import RenderedMap, render_comparison
from fixlip_core.rendering.pool import RenderPool
from service.access.keys import KeyStore
from service.access.principal import Scope
from service.app import create_app
from service.backend import Backend
from service.jobs.records import JobFailure, JobMetrics, JobOutput
from service.settings import ServiceSettings
from tests.support.explanations import attribution, example
from tests.support.jobs import png

Done: TypeAlias = Callable[..., str]

CAPTION = "a red circle and a blue square"
COLLECTION = "/v1/comparisons"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons are made in this process: tests/service/test_comparing.py is about the other one."""

    def made(_: RenderPool, subjects: Sequence[Subject], *, check: Callable[[], None]) -> Comparison:
        check()
        return compare([subject.explanation for subject in subjects])

    def drawn(_: RenderPool, subjects: Sequence[Subject], *, check: Callable[[], None]) -> RenderedMap:
        check()
        return render_comparison([each.explanation for each in subjects], [each.view for each in subjects])

    monkeypatch.setattr(RenderPool, "__enter__", lambda pool: pool)
    monkeypatch.setattr(RenderPool, "compare", made)
    monkeypatch.setattr(RenderPool, "draw_comparison", drawn)


@pytest.fixture
def queued(client: TestClient, image_png: bytes) -> Callable[..., str]:
    """Submits a pair under parameters that no other job has; gives the job's id."""
    seeds = iter(range(100))

    def queued(*, caption: str = CAPTION, image: bytes = image_png) -> str:
        fields = {"caption": caption, "params": f'{{"seed": {next(seeds)}}}'}
        response = client.post("/v1/explanations", files={"image": image}, data=fields)
        assert response.status_code == 202, response.text
        job_id: str = response.json()["id"]
        return job_id

    return queued


@pytest.fixture
def done(queued: Callable[..., str], finish: Callable[..., JobOutput]) -> Done:
    """Makes a job that has succeeded with an explanation."""

    def done(explanation: Explanation, **pair: Any) -> str:
        job_id = queued(**pair)
        finish(job_id, {"interactions.npz": to_npz_bytes(explanation), "view.png": png()})
        return job_id

    return done


@pytest.fixture
def both(done: Done) -> list[str]:
    """Two jobs of one pair: one with pairs, one without."""
    return [done(example()), done(attribution())]


def ask(client: TestClient, ids: list[str], path: str = "", **query: str) -> Response:
    return client.get(f"{COLLECTION}{path}", params={"explanations": ",".join(ids), **query})


def test_values_and_agreement(client: TestClient, both: list[str]) -> None:
    response = ask(client, both)

    assert response.status_code == 200, response.text
    body, expected = response.json(), compare([example(), attribution()])
    assert [entry["id"] for entry in body["explanations"]] == both
    for entry, values, tokens in zip(body["explanations"], expected.image, expected.text, strict=True):
        assert (entry["image"], entry["text"], entry["pairs"]) == (values.tolist(), tokens.tolist(), None)
    assert [entry["common"] for entry in body["explanations"]] == [[[k] for k in range(9)]] * 2
    assert body["players"]["tokens"] == list(expected.players.tokens)
    assert body["players"]["grid"] == [2, 3]
    assert body["input"]["caption"] == CAPTION
    (image, _, pairs) = body["agreements"]
    assert image["explanations"] == both
    assert image["spearman"] == pytest.approx(expected.agreements[0].spearman)
    assert (pairs["n"], pairs["spearman"], pairs["note"]) == (0, None, "an explanation has no values of pairs")
    assert body["notes"] == list(expected.notes)
    assert body["explanations"][1]["greatest"]["pairs"] is None
    assert body["urls"]["figure_svg"] == f"{COLLECTION}/figure.svg?explanations={','.join(both)}"


def test_pairs_are_included_if_asked_for(client: TestClient, both: list[str]) -> None:
    first, second = ask(client, both, include="pairs").json()["explanations"]
    assert first["pairs"] == example().cross.tolist()
    assert second["pairs"] is None
    assert ask(client, both, include="all").status_code == 422


@pytest.mark.parametrize(("kind", "media_type"), [("png", "image/png"), ("svg", "image/svg+xml")])
def test_the_figure(client: TestClient, both: list[str], kind: str, media_type: str) -> None:
    response = ask(client, both, f"/figure.{kind}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].partition(";")[0] == media_type
    assert response.content.startswith(b"\x89PNG" if kind == "png" else b"<svg")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_who_has_it_is_told_so_without_work(
    client: TestClient, backend: Backend, both: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    response = ask(client, both)
    etag = response.headers["ETag"]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Vary"].startswith("Authorization")
    monkeypatch.setattr(backend.comparer, "compare", None)
    query = {"explanations": ",".join(both)}
    again = client.get(COLLECTION, params=query, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


def test_another_comparison_has_another_etag(client: TestClient, backend: Backend, both: list[str]) -> None:
    def etag(ids: list[str], path: str = "", **query: str) -> str:
        response = ask(client, ids, path, **query)
        assert response.status_code == 200
        return str(response.headers["ETag"])

    found = [etag(both), etag(both[::-1]), etag(both, include="pairs"), etag(both, "/figure.png")]
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    "explanations", ["", "0" * 32, f"{'0' * 32},", "x,y", ",".join(f"{k:032x}" for k in range(9)), f"{'0' * 32}\n,a"]
)
def test_the_ids_must_be_two_to_eight(client: TestClient, explanations: str) -> None:
    response = client.get(COLLECTION, params={"explanations": explanations})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "query.explanations"


def test_a_job_agrees_with_itself(client: TestClient, both: list[str]) -> None:
    response = ask(client, [both[0], both[0]])
    assert [round(each["spearman"], 9) for each in response.json()["agreements"]] == [1, 1, 1]


def test_which_job_is_not_there(client: TestClient, both: list[str]) -> None:
    missing = "f" * 32
    response = ask(client, [both[0], missing])
    assert (response.status_code, response.json()["code"]) == (404, "job_not_found")
    assert missing in response.json()["detail"]


def test_another_tenants_jobs_are_not_there(settings: ServiceSettings, backend: Backend, both: list[str]) -> None:
    app = create_app(settings.model_copy(update={"auth": "keys"}))
    _, key = KeyStore(backend.redis).create("stranger", [Scope.READ])
    stranger = TestClient(app, headers={"Authorization": f"Bearer {key}"})
    for path in ("", "/figure.png", "/figure.svg"):
        response = ask(stranger, both, path)
        assert (response.status_code, response.json()["code"]) == (404, "job_not_found")


def test_which_job_has_no_result(
    client: TestClient, backend: Backend, both: list[str], queued: Callable[..., str]
) -> None:
    waiting = queued()
    response = ask(client, [both[0], waiting])
    assert (response.status_code, response.json()["code"]) == (409, "result_not_ready")
    assert response.json()["job_status"] == "queued"
    assert waiting in response.json()["detail"]

    claim = backend.repository.claim(waiting, "w1", ttl_s=60)
    assert claim is not None
    assert backend.repository.fail(claim.lease, JobFailure(code="c", detail="it broke"), JobMetrics())
    response = ask(client, [both[0], waiting], "/figure.png")
    assert (response.status_code, response.json()["code"]) == (409, "no_result")
    assert f"{waiting} is failed and has no result: it broke" in response.json()["detail"]


@pytest.mark.parametrize("noun", ["caption", "image"])
def test_jobs_of_other_pairs(client: TestClient, both: list[str], done: Done, noun: str) -> None:
    other = done(example(seed=1), **({"caption": "a cat"} if noun == "caption" else {"image": png(seed=9)}))
    for path in ("", "/figure.png", "/figure.svg"):
        response = ask(client, [*both, other], path)
        assert (response.status_code, response.json()["code"]) == (422, "not_comparable")
        assert f"{both[0]!r} and {other!r} are not of the same {noun}" in response.json()["detail"]
