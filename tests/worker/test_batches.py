"""A worker process at work on a batch."""

from __future__ import annotations

from pathlib import Path

from redis import Redis

from service.jobs.batches.repository import BatchRepository
from service.jobs.queue import JobQueue
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from tests.support.batches import batch_items
from tests.support.fake_worker import fake_worker
from tests.support.jobs import PARAMS, bundles_in, submit, wait_for

BATCH = "0" * 32
WINDOW = 4
BRIEF = {**PARAMS, "order": 1, "budget": 64}


def test_a_job_that_comes_alone_is_begun_before_a_batch_of_a_thousand_has_ended(
    redis_url: str, connection: Redis, tmp_path: Path
) -> None:
    settings = JobSettings(redis_url=redis_url, data_dir=tmp_path, batch_window=WINDOW)
    bundles, jobs = bundles_in(connection, tmp_path), JobRepository.of(settings, connection)
    batches = BatchRepository(connection, settings, bundles)
    batches.create(BATCH, batch_items(bundles, 1000, params=BRIEF))
    with fake_worker(redis_url, tmp_path, FIXLIP_BATCH_WINDOW=str(WINDOW)):
        first = batches.rows(BATCH, 0, 1)[0].job_id
        wait_for(jobs, first, "succeeded", within_s=60)
        alone = submit(jobs, bundles, JobQueue(connection, settings), params=BRIEF)
        alone = wait_for(jobs, alone.id, "succeeded", within_s=60)
    assert alone.started_at is not None
    begun = [row.job for row in batches.rows(BATCH, 0, 100) if row.job is not None and row.job.started_at is not None]
    before_it = [job for job in begun if job.started_at and alone.created_at < job.started_at < alone.started_at]
    assert len(before_it) <= WINDOW
    assert batches.get(BATCH).request_counts.queued > 900
