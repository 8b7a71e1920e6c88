"""A question that is asked twice, of a real API and a real worker."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from tests.support.fake_encoder import CARD
from tests.support.fake_worker import fake_worker
from tests.support.jobs import png
from tests.support.processes import serving, wait_until


def test_the_second_time_it_is_answered_at_once_without_any_worker(redis_url: str, tmp_path: Path) -> None:
    form = {"caption": "a red circle", "model": CARD.id, "params": json.dumps({"budget": 32, "order": 1})}
    with serving(redis_url, tmp_path) as url, httpx.Client(base_url=url, timeout=90, trust_env=False) as http:

        def ask(**more: str) -> httpx.Response:
            files = {"image": png()}
            return http.post("/v1/explanations", data=form | more, files=files, headers={"Prefer": "wait=60"})

        with connect(redis_url, timeout_s=5) as redis, fake_worker(redis_url, tmp_path):
            wait_until(lambda: Catalogue(redis).live_workers(CARD.id) > 0)
            first, forced = ask(), ask(cache="bypass")
        again = ask()

        jobs = [answer.json() for answer in (first, forced, again)]
        assert [(job["status"], job["cached"]) for job in jobs] == [("succeeded", cached) for cached in (0, 0, 1)]
        assert len({job["id"] for job in jobs}) == 3
        results = [http.get(job["urls"]["interactions_npz"]) for job in jobs]
        assert {result.status_code for result in results} == {200}
        # The same inputs give the same bytes, computed or not.
        assert len({result.headers["ETag"] for result in results}) == 1
        assert jobs[2]["metrics"]["forward_passes"] == 0 < jobs[1]["metrics"]["forward_passes"]
