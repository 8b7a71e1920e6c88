from __future__ import annotations

import json
import zlib

from redis import Redis
from rq import Queue
from rq.executions import Execution
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from service.jobs._keys import text
from service.jobs.queue import TASK, JobQueue, job_of
from service.jobs.records import new_job_id
from service.jobs.settings import JobSettings


def test_an_entry_is_the_job_id_alone_in_json(queue: JobQueue, redis: Redis) -> None:
    job_id = new_job_id()
    name = queue.enqueue(job_id)

    (entry,) = Queue("fixlip", connection=redis, serializer=JSONSerializer).jobs
    assert (entry.id, entry.func_name, list(entry.args), entry.kwargs) == (name, TASK, [job_id], {})
    assert (entry.description, job_of(name)) == (job_id, job_id)
    data = redis.hget(f"rq:job:{name}", "data")
    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data)) == [TASK, None, [job_id], {}]


def test_the_run_time_limit_is_the_settings_one(redis: Redis, redis_url: str) -> None:
    settings = JobSettings(redis_url=redis_url, job_timeout_s=7, queue_name="other")
    name = JobQueue(redis, settings).enqueue(new_job_id())

    entry = RqJob.fetch(name, connection=redis, serializer=JSONSerializer)
    assert (entry.timeout, entry.origin, entry.result_ttl) == (7, "other", 0)


def test_in_a_pipeline_nothing_is_queued_before_it_executes(queue: JobQueue, redis: Redis) -> None:
    with redis.pipeline(transaction=True) as pipe:
        queue.enqueue(new_job_id(), pipeline=pipe)
        assert queue.depth() == 0
        pipe.execute()
    assert queue.depth() == 1


def test_each_time_a_job_is_enqueued_it_gets_another_entry(queue: JobQueue) -> None:
    job_id = new_job_id()
    entries = {queue.enqueue(job_id) for _ in range(2)}

    assert queue.waiting() == entries
    assert (len(entries), set(map(job_of, entries))) == (2, {job_id})


def test_what_has_waited_already_goes_first(queue: JobQueue, redis: Redis) -> None:
    first, second = (queue.enqueue(new_job_id()) for _ in range(2))
    again = queue.enqueue(new_job_id(), at_front=True)

    assert redis.lrange("rq:queue:fixlip", 0, -1) == [entry.encode() for entry in (again, first, second)]


def test_an_entry_is_removed_without_a_trace(queue: JobQueue, redis: Redis) -> None:
    kept, removed = (queue.enqueue(new_job_id()) for _ in range(2))
    for _ in range(2):
        with redis.pipeline(transaction=True) as pipe:
            queue.remove(removed, pipeline=pipe)
            pipe.execute()

    assert queue.waiting() == {kept}
    assert redis.keys("rq:job:*") == [f"rq:job:{kept}".encode()]


def test_an_entry_that_a_dead_worker_took_is_forgotten(queue: JobQueue, redis: Redis) -> None:
    names = [queue.enqueue(new_job_id()) for _ in range(3)]
    rq_queue = Queue("fixlip", connection=redis, serializer=JSONSerializer)
    for started in (False, True, True):
        taken = Queue.dequeue_any([rq_queue], None, connection=redis, serializer=JSONSerializer)
        assert taken is not None
        if started:
            with redis.pipeline() as pipe:
                Execution.create(taken[0], 60, pipe)
                pipe.lrem(rq_queue.intermediate_queue.key, 0, taken[0].id)
                pipe.execute()
    assert queue.taken() == set(names)

    for name in names[:2]:
        queue.forget(name)
        queue.forget(name)
    assert queue.taken() == {names[2]}
    assert {text(key).split(":")[2] for key in redis.keys("rq:job:*") + redis.keys("rq:exec*")} == {names[2]}
