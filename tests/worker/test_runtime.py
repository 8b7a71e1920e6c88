from __future__ import annotations

import subprocess
import sys
import time

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


def test_nothing_to_hand_back(runtime: Runtime) -> None:
    runtime.hand_back()
    assert runtime.queue.depth() == 0
