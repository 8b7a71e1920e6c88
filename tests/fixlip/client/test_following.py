from __future__ import annotations

import json
import time
from typing import Any

import pytest

from fixlip.client import Client, JobNotSucceededError, NotFoundError, WaitTimeoutError
from fixlip.client import Job as JobModel
from tests.support.scripted_service import JOB, Reply, ScriptedService, events, job, problem

START = 'id: 1\nevent: start\ndata: {"attempt": 1}\n\n'
RETRY = "retry: 10\n\n"
RESULT = Reply(
    200,
    json.dumps(
        {
            "index": "WFBII",
            "order": 2,
            "tokens": ["red", "circle"],
            "grid": [2, 2],
            "model": JOB["model"],
            "method": "fixlip",
            "params": {},
            "input": JOB["input"],
            "empty_value": 0.0,
            "full_value": 1.0,
            "image_passes": 64,
            "text_passes": 4,
            "top_players": [{"label": "red", "player": 4, "value": 0.5}],
        }
    ).encode(),
)


def progress(completed: int) -> str:
    data = {"completed": completed, "total": 64, "unit": "forward_passes"}
    return f"id: 1-{completed}\nevent: progress\ndata: {json.dumps(data)}\n\n"


def completed(status: str = "succeeded", **changes: Any) -> str:
    return f"id: 1-{status}\nevent: completed\ndata: {json.dumps({**JOB, 'status': status, **changes})}\n\n"


def states(jobs: list[JobModel]) -> list[tuple[str, int]]:
    return [(state.status, state.progress.completed) for state in jobs]


def test_by_events(client: Client, service: ScriptedService) -> None:
    service.will(job(), events(": alive\n\n", START, progress(32), completed()))
    assert states(list(client.follow("a"))) == [("queued", 0), ("running", 0), ("running", 32), ("succeeded", 0)]
    assert service.requests[1].path == f"/v1/explanations/{JOB['id']}/events"
    assert service.requests[1].headers["accept"] == "text/event-stream"
    assert "last-event-id" not in service.requests[1].headers


def test_a_job_that_has_ended_needs_no_stream(client: Client, service: ScriptedService) -> None:
    service.will(job("failed"))
    assert states(list(client.follow("a"))) == [("failed", 0)]
    assert len(service.requests) == 1


@pytest.mark.parametrize("is_cut", [False, True])
def test_after_a_break_it_goes_on_from_the_last_event(client: Client, service: ScriptedService, is_cut: bool) -> None:
    service.will(job(), events(RETRY, START, progress(16), is_cut=is_cut))
    service.will(events(RETRY, progress(32), "id: 1-48\nevent: progr", is_cut=True), events(completed()))
    found = states(list(client.follow("a")))
    assert found == [("queued", 0), ("running", 0), ("running", 16), ("running", 32), ("succeeded", 0)]
    ids = [request.headers.get("last-event-id") for request in service.requests[1:]]
    assert ids == [None, "1-16", "1-32"]


NO_STREAMS = {
    "older service": problem(404, "not_found"),
    "too many streams": problem(503, "too_many_streams", retry_after="5"),
    "all was told": Reply(204),
    "proxy": Reply(200, b"<html>", media_type="text/html"),
}


@pytest.mark.parametrize("reply", NO_STREAMS.values(), ids=NO_STREAMS.keys())
def test_without_events_it_is_looked_at(client: Client, service: ScriptedService, reply: Reply) -> None:
    half = {"progress": {"completed": 32, "total": 64}}
    service.will(job(), reply, job(), job("running", **half), job("running", **half), problem(503), job("succeeded"))
    assert states(list(client.follow("a"))) == [("queued", 0), ("running", 32), ("succeeded", 0)]


def test_looks_are_as_far_apart_as_the_service_says(client: Client, service: ScriptedService) -> None:
    slow = Reply(200, json.dumps(JOB).encode(), {"Retry-After": "1"})
    service.will(job(), problem(404), slow, job("succeeded"))
    began = time.monotonic()
    list(client.follow("a"))
    assert 1.0 <= time.monotonic() - began < 2.0


def test_streams_that_tell_nothing_are_given_up(client: Client, service: ScriptedService) -> None:
    service.will(job(), events(RETRY), events(RETRY), job("succeeded"))
    assert states(list(client.follow("a"))) == [("queued", 0), ("succeeded", 0)]


def test_events_that_mean_nothing_are_left_out(client: Client, service: ScriptedService) -> None:
    odd = "event: progress\ndata: []\n\nevent: progress\ndata: {\n\nevent: new\ndata: {}\n\n"
    wrong = 'event: progress\ndata: {"completed": "many"}\n\n'
    service.will(job(), events(odd, wrong, completed()))
    found = states(list(client.follow("a")))
    assert (found[0], found[-1]) == (("queued", 0), ("succeeded", 0))
    assert {status for status, _ in found[1:-1]} <= {"queued"}


def test_a_job_that_is_removed_meanwhile(client: Client, service: ScriptedService) -> None:
    service.will(job(), events(RETRY, START), problem(404, "job_not_found"), problem(404, "job_not_found"))
    with pytest.raises(NotFoundError):
        list(client.follow("a"))


def test_one_may_stop_following(client: Client, service: ScriptedService) -> None:
    service.will(job(), events(START, progress(1), progress(2), completed()), job())
    for state in client.follow("a"):
        if state.progress.completed == 1:
            break
    assert client.get("a").status == "queued"


def test_waiting_is_left_to_the_service(client: Client, service: ScriptedService) -> None:
    waited = Reply(200, json.dumps(JOB).encode(), {"Preference-Applied": "wait=20", "Retry-After": "10"})
    service.will(waited, waited, job("canceled"))
    assert client.wait("a").status == "canceled"
    assert {request.headers["prefer"] for request in service.requests} == {"wait=20"}


def test_an_older_service_is_asked_now_and_then(client: Client, service: ScriptedService) -> None:
    service.will(job(), job("running"), job("succeeded"))
    assert client.wait("a").has_succeeded


def test_waiting_ends_in_time(client: Client, service: ScriptedService) -> None:
    service.will(*[job("running")] * 1000)
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError, match=r"is still running after 0\.3 s") as raised:
        client.wait("a", within_s=0.3)
    assert time.monotonic() - began < 1.5
    assert raised.value.job.id == JOB["id"]
    assert "prefer" not in service.requests[0].headers  # there is no whole second


@pytest.mark.parametrize("told", ["", START, START + progress(1)])
def test_following_ends_in_time(client: Client, service: ScriptedService, told: str) -> None:
    service.will(job(), events(RETRY, told, is_cut=True, held_s=3.0), *[job("running")] * 1000)
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError):
        list(client.follow("a", within_s=0.3))
    assert 0.3 <= time.monotonic() - began < 2.0


def test_a_stream_that_only_lives_ends_in_time(client: Client, service: ScriptedService) -> None:
    service.will(job(), *[events(RETRY, START, ": alive\n\n")] * 1000)
    with pytest.raises(WaitTimeoutError):
        list(client.follow("a", within_s=0.2))


def test_explain(client: Client, service: ScriptedService) -> None:
    service.will(job(), job("running"), job("succeeded"), RESULT)
    explained = client.explain(image=b"picture", caption="a red circle")
    assert explained.job.has_succeeded
    assert explained.result.tokens == ("red", "circle")
    assert explained.result.top_players[0].std_error is None


def test_explain_tells_of_progress(client: Client, service: ScriptedService) -> None:
    service.will(job(), job(), events(START, progress(32), completed()), RESULT)
    seen: list[JobModel] = []
    assert client.explain(image=b"", caption="a red circle", on_progress=seen.append).result.order == 2
    assert states(seen) == [("queued", 0), ("running", 0), ("running", 32), ("succeeded", 0)]


def test_explain_in_vain(client: Client, service: ScriptedService) -> None:
    error = {"code": "worker_lost", "detail": "twice"}
    service.will(job(), job("failed", error=error), job(), job("canceled"))
    with pytest.raises(JobNotSucceededError, match=r"the job failed \(worker_lost\): twice") as raised:
        client.explain(image=b"", caption="a red circle")
    assert raised.value.code == "worker_lost"
    with pytest.raises(JobNotSucceededError, match=r"the job canceled \(canceled\): no reason"):
        client.explain(image=b"", caption="a red circle")


def test_explain_within_the_time(client: Client, service: ScriptedService) -> None:
    service.will(job(), *[job("running")] * 1000)
    with pytest.raises(WaitTimeoutError):
        client.explain(image=b"", caption="a red circle", within_s=0.1)


def test_explain_within_the_time_telling_of_progress(client: Client, service: ScriptedService) -> None:
    service.will(job(), job(), events(RETRY, START, progress(1)), *[job("running")] * 1000)
    with pytest.raises(WaitTimeoutError):
        client.explain(image=b"", caption="a red circle", within_s=0.0, on_progress=lambda _: None)
