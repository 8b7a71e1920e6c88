"""Jobs that have ended, for tests of what happens then."""

from __future__ import annotations

from datetime import UTC, datetime

from service.jobs.records import Job, JobInput, JobModel, JobStatus, JobWebhook, WebhookState, new_job_id
from service.jobs.repository import JobRepository

__all__ = ["ended", "webhook_of"]


def ended(
    repository: JobRepository, url: str, *, tenant: str = "default", status: JobStatus = JobStatus.SUCCEEDED
) -> Job:
    """A new job that has ended, of which somebody is to be told."""
    job = Job(
        id=new_job_id(),
        status=status,
        model=JobModel(id="demo", revision="sha256:0123456789abcdef"),
        method="fixlip",
        params={},
        input=JobInput(image_sha256="0" * 64, caption="a red circle"),
        completed_at=datetime.now(UTC),
        webhook=JobWebhook(url=url),
    )
    assert repository.create(job, tenant=tenant)
    return job


def webhook_of(repository: JobRepository, job: Job) -> tuple[WebhookState, int]:
    """Whether the receiver was told, and how often that was tried."""
    webhook = repository.get(job.id).webhook
    assert webhook is not None
    return webhook.state, webhook.attempts
