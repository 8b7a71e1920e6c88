from __future__ import annotations

import json
import zlib

from redis import Redis
from rq import Queue
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from service.jobs.queue import TASK, JobQueue
from service.jobs.records import new_job_id
from service.jobs.settings import JobSettings


def test_an_entry_is_the_job_id_alone_in_json(queue: JobQueue, redis: Redis) -> None:
    job_id = new_job_id()
    queue.enqueue(job_id)

    (entry,) = Queue("fixlip", connection=redis, serializer=JSONSerializer).jobs
    assert (entry.id, entry.func_name, list(entry.args), entry.kwargs) == (job_id, TASK, [job_id], {})
    data = redis.hget(f"rq:job:{job_id}", "data")
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data)) == [TASK, None, [job_id], {}]


def test_the_run_time_limit_is_the_settings_one(redis: Redis, redis_url: str) -> None:
    job_id = new_job_id()
    JobQueue(redis, JobSettings(redis_url=redis_url, job_timeout_s=7, queue_name="other")).enqueue(job_id)

    entry = RqJob.fetch(job_id, connection=redis, serializer=JSONSerializer)
    assert (entry.timeout, entry.origin, entry.result_ttl) == (7, "other", 0)


def test_in_a_pipeline_nothing_is_queued_before_it_executes(queue: JobQueue, redis: Redis) -> None:
    with redis.pipeline(transaction=True) as pipe:
        queue.enqueue(new_job_id(), pipeline=pipe)
        assert queue.depth() == 0
        pipe.execute()
    assert queue.depth() == 1
