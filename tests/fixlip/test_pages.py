from __future__ import annotations

import pytest

from fixlip.client import Client
from fixlip.errors import CommandError
from fixlip.pages import MOST_COMPARED, browse, place_of
from tests.support.processes import ROOT
from tests.support.scripted_service import JOB, Reply, ScriptedService, job, problem

ID, OTHER = JOB["id"], "1" * 32
BATCH = (
    b'{"id": "22222222222222222222222222222222", "status": "running", "created_at": "2026-01-01T00:00:00Z", '
    b'"request_counts": {"total": 2, "pending": 1, "running": 1, "completed": 0, "failed": 0, "canceled": 0}}'
)


def place(*ids: str, replies: tuple[Reply, ...] = (), below: str = "") -> str:
    """Where it is, below the service's URL."""
    with ScriptedService() as service:
        service.will(*replies)
        with Client(service.url.rstrip("/") + below, retry_for_s=0) as client:
            found = place_of(client, ids)
            assert found.startswith(client.url)
            return found.removeprefix(client.url)


def test_the_page_itself_is_asked_for_nothing() -> None:
    assert place() == "/"


def test_a_job_is_looked_up() -> None:
    assert place(ID, replies=(job(),)) == f"/#/explanations/{ID}"
    assert place(ID, replies=(job(),), below="/prefix/") == f"/#/explanations/{ID}"


def test_several_are_compared() -> None:
    assert place(ID, OTHER, replies=(job(), job(id=OTHER))) == f"/#/compare?explanations={ID},{OTHER}"
    with pytest.raises(CommandError, match="two to 4 different jobs"):
        place(ID, ID)
    with pytest.raises(CommandError, match="two to 4 different jobs"):
        place(*(f"{k:032}" for k in range(5)))


def test_the_page_shows_as_many() -> None:
    source = (ROOT / "web/src/page/compare/state.ts").read_text(encoding="utf-8")
    assert f"MOST_SHOWN = {MOST_COMPARED};" in source


def test_what_is_no_job_may_be_a_batch() -> None:
    assert place("2" * 32, replies=(problem(404), Reply(200, BATCH))) == f"/#/batches/{'2' * 32}"
    with pytest.raises(CommandError, match="neither a job nor a batch"):
        place("2" * 32, replies=(problem(404), problem(404)))


def test_a_password_is_not_shown() -> None:
    with Client("http://someone:secret@127.0.0.1:9/base/") as client:
        assert place_of(client, []) == "http://127.0.0.1:9/base/"


def test_there_may_be_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def remember(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", remember)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert not browse("http://here/")
    monkeypatch.setenv("BROWSER", "something")
    assert browse("http://here/")
    assert opened == ["http://here/"]
