from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.documents.webhooks import webhooks
from service.jobs.batches.records import Batch, BatchCounts, BatchStatus
from service.jobs.records import Job, JobFailure, JobInput, JobModel, JobStatus, JobWebhook
from service.jobs.webhook_secrets import WebhookSecret
from service.webhooks.message import MAX_MESSAGE_BYTES, message_id_of, message_of, signed_headers
from tests.support.jobs import METRICS, OUTPUT

BASE = "/v1/explanations"
ENDED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def job(**changes: Any) -> Job:
    fields: dict[str, Any] = {
        "status": JobStatus.SUCCEEDED,
        "model": JobModel(id="demo", revision="sha256:0123456789abcdef"),
        "method": "fixlip",
        "params": {"boxes": [[0, 0, 1, 1]] * 5000},
        "input": JobInput(image_sha256="0" * 64, caption="a red circle"),
        "output": OUTPUT,
        "metrics": METRICS,
        "completed_at": ENDED_AT,
        "metadata": {"run": "7"},
        "webhook": JobWebhook(url="https://hooks.example.com/?key=private"),
    }
    return Job(**{**fields, **changes})


def secret(key: str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") -> WebhookSecret:
    return WebhookSecret(id="whs_1", secret=f"whsec_{key}", created_at=ENDED_AT)


def test_it_says_what_has_happened_and_where_the_rest_is() -> None:
    done = job()
    message = json.loads(message_of(done))
    assert message["type"] == "explanation.succeeded"
    assert message["timestamp"] == "2026-01-02T03:04:05Z"
    data = message["data"]
    assert (data["id"], data["status"], data["metadata"]) == (done.id, "succeeded", {"run": "7"})
    assert data["metrics"]["forward_passes"] == METRICS.forward_passes
    assert data["urls"] == {"self": f"{BASE}/{done.id}", "result": f"{BASE}/{done.id}/result"}
    assert data.keys().isdisjoint({"output", "params", "webhook"})


def batch(**changes: Any) -> Batch:
    fields: dict[str, Any] = {
        "id": "7c6e5f4a3b2c0f8b6a5d4c3e4f1a9b2d",
        "status": BatchStatus.SUCCEEDED,
        "request_counts": BatchCounts(total=3, queued=0, running=0, completed=2, failed=1, canceled=0),
        "created_at": ENDED_AT,
        "completed_at": ENDED_AT,
        "webhook": JobWebhook(url="https://hooks.example.com/?key=private"),
    }
    return Batch(**{**fields, **changes})


@pytest.mark.parametrize("status", [status for status in BatchStatus if status.is_final])
def test_of_a_batch_it_says_how_many_ended_how(status: BatchStatus) -> None:
    done = batch(status=status)
    message = json.loads(message_of(done))
    body = webhooks()[f"batch.{status}"]["post"]["requestBody"]["content"]["application/json"]
    jsonschema.validate(message, body["schema"])
    jsonschema.validate(body["example"], body["schema"])
    assert (message["type"], message["timestamp"]) == (f"batch.{status}", "2026-01-02T03:04:05Z")
    data, url = message["data"], f"/v1/batches/{done.id}"
    assert data["request_counts"]["completed"] == 2
    assert data["urls"] == {"self": url, "results": f"{url}/results.jsonl", "summary": f"{url}/summary"}
    assert data.keys() == body["example"]["data"].keys()
    assert data.keys().isdisjoint({"webhook", "expires_at"})


def test_every_end_of_a_batch_has_an_id_of_its_own() -> None:
    assert len({message_id_of(batch(retries=retries)) for retries in (0, 1, 2)}) == 3
    assert message_id_of(job()) != message_id_of(job())


@pytest.mark.parametrize("status", [status for status in JobStatus if status.is_terminal])
def test_its_type_is_the_jobs_end(status: JobStatus) -> None:
    error = JobFailure(code="x", detail="y") if status is JobStatus.FAILED else None
    message = json.loads(message_of(job(status=status, error=error)))
    assert message["type"] == f"explanation.{status}"
    assert message["data"]["error"] == (error and {"code": "x", "detail": "y"})


@pytest.mark.parametrize("status", [status for status in JobStatus if status.is_terminal])
def test_it_is_what_the_document_says(status: JobStatus) -> None:
    body = webhooks()[f"explanation.{status}"]["post"]["requestBody"]["content"]["application/json"]
    message = json.loads(message_of(job(status=status)))
    jsonschema.validate(message, body["schema"])
    jsonschema.validate(body["example"], body["schema"])
    assert message["data"].keys() == body["example"]["data"].keys()
    assert message["data"]["urls"].keys() == body["example"]["data"]["urls"].keys()


@pytest.mark.parametrize("character", ["x", "é", "\U0001f600", "\\", "\x7f"])
def test_it_is_never_longer_than_receivers_take(character: str) -> None:
    metadata = {f"{number:x}" * 64: character * 512 for number in range(16)}
    long = JobInput(image_sha256="0" * 64, caption=character * 100_000)
    failure = JobFailure(code="x", detail=character * 100_000)
    for changes in ({"metadata": metadata}, {"input": long}, {"metadata": metadata, "input": long, "error": failure}):
        message = message_of(job(**changes))
        assert len(message) < MAX_MESSAGE_BYTES
        data = json.loads(message)["data"]
        assert data["id"]
        assert data.keys() >= {"metadata", "input", "error"}


def test_what_fits_is_not_left_out() -> None:
    metadata = {f"{number:x}" * 64: "x" * 512 for number in range(16)}
    assert json.loads(message_of(job(metadata=metadata)))["data"]["metadata"] == metadata


def test_a_receiver_that_knows_one_of_the_secrets_believes_it() -> None:
    message = message_of(job())
    new, old = secret(), secret("C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    headers = signed_headers(message, message_id="msg_1", secrets=[new, old])
    assert headers["webhook-id"] == "msg_1"
    for known in (new, old):
        assert Webhook(known.secret).verify(message, headers) == json.loads(message)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").verify(message, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new.secret).verify(message + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new.secret).verify(message, {**headers, "webhook-id": "msg_2"})
