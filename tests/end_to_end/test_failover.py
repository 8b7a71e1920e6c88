"""A failover under work: the sentinels name another master, and neither the API nor a worker is restarted."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from fixlip.client import Client, Job
from service.jobs.connection import connect
from service.jobs.errors import JobNotFoundError
from service.jobs.records import JobStatus
from service.jobs.repository import JobRepository
from tests.support.fake_worker import fake_worker
from tests.support.jobs import png
from tests.support.processes import serving, wait_until
from tests.support.redis_group import PASSWORD, RedisGroup

PARAMS = {"budget": 192, "estimator": "least_squares", "text_passes": 16}
ROW_S = 0.01


def runs(repository: JobRepository, job: Job) -> bool:
    try:
        return repository.get(job.id).status is JobStatus.RUNNING
    except JobNotFoundError:
        return False


@pytest.mark.slow
def test_work_goes_on_with_the_new_master(tmp_path: Path) -> None:
    secret = quote(PASSWORD, safe="")
    with RedisGroup(tmp_path) as group:
        url = f"redis+sentinel://:{secret}@127.0.0.1:{group.sentinel}/0?master=main"
        with (
            serving(url, tmp_path) as api,
            fake_worker(url, tmp_path, row_s=ROW_S) as worker,
            connect(f"redis://:{secret}@127.0.0.1:{group.replica}/0", timeout_s=5) as replica,
            connect(url, timeout_s=5) as master,
            Client(api) as client,
        ):
            wait_until(lambda: httpx.get(f"{api}/readyz").is_success)
            running = client.submit(image=png(), caption="a red circle", params=PARAMS)
            # Replication is asynchronous: what the replica has not got yet would be lost, by design.
            wait_until(lambda: runs(JobRepository(replica), running))
            group.kill(group.master)
            later = client.submit(image=png(), caption="a blue square", params=PARAMS)
            for job in (running, later):
                assert client.wait(job).has_succeeded
                assert JobRepository(master).get(job.id).attempt == 1
            assert worker.poll() is None
