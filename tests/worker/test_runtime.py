from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from redis import ConnectionError as RedisConnectionError

from service.jobs.catalogue import Catalogue
from service.jobs.rates import Pace, Rates
from tests.support.fake_encoder import CARD
from worker.runtime import Runtime, current_runtime, install_runtime, new_worker_id


def test_the_latest_installed_is_current(runtime: Runtime) -> None:
    assert current_runtime() is runtime
    install_runtime(runtime)
    assert current_runtime() is runtime


def test_a_process_that_is_no_worker_is_told_so() -> None:
    code = "from worker.runtime import current_runtime; current_runtime()"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "RuntimeError: this process has no loaded models" in outcome.stderr


def test_every_worker_has_a_name_of_its_own() -> None:
    assert len({new_worker_id() for _ in range(100)}) == 100


def test_announcement_lasts_three_heartbeats(runtime: Runtime) -> None:
    runtime.announce()
    assert runtime.catalogue.cards() == {CARD.id: CARD}
    assert runtime.catalogue.live_workers(CARD.id) == 1
    time.sleep(3 * runtime.settings.heartbeat_s + 0.05)
    assert runtime.catalogue.live_workers(CARD.id) == 0


def test_an_announcement_says_how_fast_the_worker_is(runtime: Runtime) -> None:
    runtime.announce()

    assert Rates(runtime.redis).live(now=time.time()) == [Pace(models=(CARD.id,), slots=runtime.settings.slots)]


def test_withdrawn_it_is_gone_at_once(runtime: Runtime) -> None:
    runtime.announce()
    runtime.withdraw()
    assert runtime.catalogue.live_workers() == 0


def test_one_that_stops_is_not_announced_any_more(runtime: Runtime) -> None:
    runtime.announce()
    runtime.stop.request()
    runtime.announce()
    assert runtime.catalogue.live_workers() == 0


def test_without_redis_it_goes_all_the_same(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Catalogue, "withdraw", failing(1))
    runtime.withdraw()


def test_trouble_is_waited_out(runtime: Runtime) -> None:
    assert runtime.persistently(failing(2)) == "done"


def test_trouble_is_not_waited_out_when_the_process_must_leave(runtime: Runtime) -> None:
    runtime.stop.request()
    runtime.stop.request()
    with pytest.raises(RedisConnectionError):
        runtime.persistently(failing(1))


def failing(times: int) -> Callable[..., str]:
    failures = iter(range(times))

    def act(*_: object) -> str:
        if next(failures, None) is not None:
            raise RedisConnectionError("away")
        return "done"

    return act
