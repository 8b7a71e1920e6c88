"""Both clients and a real service with a worker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixlip.client import (
    Client,
    ConflictError,
    InvalidRequestError,
    JobNotSucceededError,
    NotFoundError,
)
from fixlip_core.explanation import Explanation
from fixlip_core.formats import to_npz_bytes
from tests.fixlip.client.conftest import Connect
from tests.support.jobs import PARAMS, png

CAPTION = "a red circle"


@pytest.fixture
def real(connect: Connect, service_url: str) -> Client:
    return connect(service_url)


def test_explain(real: Client) -> None:
    explained = real.explain(image=png(), caption=CAPTION, params=PARAMS, metadata={"order": "7"})
    assert explained.job.metadata == {"order": "7"}
    assert explained.result.tokens == ("a", "red", "circle")
    assert explained.result.params["budget"] == PARAMS["budget"]
    assert explained.result.top_interactions


def test_follow_and_download(real: Client, tmp_path: Path) -> None:
    submitted = real.submit(image=png(), caption=CAPTION, params=PARAMS, cache="bypass")
    states = list(real.follow(submitted))
    assert {state.id for state in states} == {submitted.id}
    assert states[-1].has_succeeded
    assert states[-1].progress.completed == states[-1].progress.total > 0
    paths = real.download(submitted, tmp_path)
    maps = {f"maps/{name}.{kind}" for name in ("first-order", "graph", "token-0", "token-2") for kind in ("png", "svg")}
    names = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert names >= {"interactions.npz", "interactions.json", "result.json"} | maps
    exact = Explanation.load(tmp_path / "interactions.npz")
    assert to_npz_bytes(exact) == to_npz_bytes(Explanation.load(tmp_path / "interactions.json"))
    assert json.loads((tmp_path / "result.json").read_text())["tokens"] == list(exact.tokens)
    assert (real.interactions(submitted).second == exact.second).all()


def test_an_explanation_is_judged(real: Client, tmp_path: Path) -> None:
    job, result = real.explain(image=png(), caption=CAPTION, params=PARAMS, evaluate=["faithfulness", "aid"])
    assert job.evaluate == ("faithfulness", "aid")
    assert job.output is not None
    assert job.output.evaluation == result.evaluation
    assert {score.metric for score in result.evaluation} == {"faithfulness", "aid"}
    assert job.metrics.evaluation_passes is not None
    assert tmp_path / "evaluation.json" in real.download(job, tmp_path)
    document = json.loads((tmp_path / "evaluation.json").read_text())
    assert [score["value"] for score in document["scores"]] == [score.value for score in result.evaluation]
    assert (tmp_path / "maps" / "insertion-deletion.svg").exists()
    with pytest.raises(InvalidRequestError, match="metric 'beauty' is unknown"):
        real.submit(image=png(), caption=CAPTION, evaluate=["beauty"])


def test_a_known_result_is_given_again(real: Client) -> None:
    first = real.explain(image=png(seed=7), caption=CAPTION, params=PARAMS)
    again = real.explain(image=png(seed=7), caption=CAPTION, params=PARAMS)
    assert again.job.cached
    assert again.job.id != first.job.id
    assert again.result == first.result


def test_the_same_submission_again(real: Client) -> None:
    key = f"a-key-of-{type(real).__name__}"
    jobs = [real.submit(image=png(), caption=CAPTION, params=PARAMS, idempotency_key=key) for _ in range(2)]
    assert jobs[0].id == jobs[1].id
    with pytest.raises(InvalidRequestError) as raised:
        real.submit(image=png(), caption="another caption", params=PARAMS, idempotency_key=key)
    assert raised.value.code == "idempotency_mismatch"


def test_an_uploaded_picture(real: Client) -> None:
    upload = real.upload(png())
    assert (upload.width, upload.height) == (64, 64)
    job = real.submit(image_id=upload.id, caption=CAPTION, params=PARAMS, wait_s=30)
    assert job.has_succeeded
    real.delete_upload(upload)
    with pytest.raises(NotFoundError):
        real.delete_upload(upload)


def test_list_and_delete(real: Client) -> None:
    jobs = [real.submit(image=png(), caption=CAPTION, params=PARAMS, wait_s=30) for _ in range(3)]
    listed = [job.id for job in real.jobs(status="succeeded", page_size=2)]
    assert [job.id for job in reversed(jobs)] == listed[:3]
    real.delete(jobs[0])
    with pytest.raises(NotFoundError):
        real.get(jobs[0])
    assert jobs[0].id not in [job.id for job in real.jobs(page_size=2)]


def test_cancel(real: Client) -> None:
    jobs = [real.submit(image=png(), caption=CAPTION, params=PARAMS, cache="bypass") for _ in range(8)]
    assert real.cancel(jobs[-1]).cancel_requested_at is not None
    assert real.wait(jobs[-1]).status == "canceled"
    with pytest.raises(ConflictError, match=r"409 Conflict\): explanation '.*' is canceled already") as raised:
        real.cancel(jobs[-1])
    assert raised.value.job_status == "canceled"
    assert {real.wait(job).status for job in jobs[:-1]} == {"succeeded"}


def test_a_failed_job(real: Client) -> None:
    params = {**PARAMS, "estimator": "least_squares", "budget": 16}
    with pytest.raises(JobNotSucceededError, match="16 image coalitions"):
        real.explain(image=png(), caption=CAPTION, params=params)


def test_a_refusal_in_the_services_words(real: Client) -> None:
    with pytest.raises(InvalidRequestError, match=r"model 'gone' is unknown; known models: fake") as raised:
        real.submit(image=png(), caption=CAPTION, model="gone")
    assert raised.value.request_id
    assert [error.field for error in raised.value.errors] == ["model"]


def test_the_catalogue(real: Client) -> None:
    assert [model.id for model in real.models()] == ["fake"]
    assert {method.name for method in real.methods()} >= {"fixlip", "game"}
    assert "beta" in real.method("m2ib").parameters["properties"]
    assert {metric.name for metric in real.metrics()} >= {"faithfulness", "aid"}


def test_quotas(real: Client) -> None:
    assert {quota.name for quota in real.quotas()} >= {"queued_jobs", "stored_bytes"}
