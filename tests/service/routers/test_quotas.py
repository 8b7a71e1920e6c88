from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient

from service.access.allowances import Allowance, AllowanceBook
from service.backend import Backend


def test_quotas_are_told_with_what_is_used(client: TestClient, backend: Backend, submit: Callable[[], str]) -> None:
    book = AllowanceBook(backend.redis, "fixlip", defaults=Allowance())
    book.say("default", Allowance(passes_per_day=10_000, queued_jobs=9))
    submit()

    response = client.get("/v1/quotas")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["tenant"] == "default"
    requests, queued, passes, stored = response.json()["items"]
    assert requests == {"name": "requests_per_min", "limit": None, "used": None, "window_s": 60, "resets_in_s": None}
    assert queued == {"name": "queued_jobs", "limit": 9, "used": 1, "window_s": None, "resets_in_s": None}
    assert (passes["name"], passes["limit"], passes["used"]) == ("passes_per_day", 10_000, 514)
    assert 86_390 <= passes["resets_in_s"] <= 86_400
    assert (stored["name"], stored["limit"]) == ("stored_bytes", None)
    assert stored["used"] > 0
