"""A worker is paused, its jobs are done elsewhere, and it comes back without knowing that it was away.

A virtual machine that is moved, a process that is stopped, a host that swaps: the worker's heart does not beat, so its
jobs are taken back and run by another. When it wakes it still holds their leases and would hand in its answers. It may
not: the leases are of an earlier attempt, and its files lie in a directory of that attempt, which nobody reads.
"""

from __future__ import annotations

import time
from typing import Final

from tests.faults.conftest import Scale, StartTrial
from tests.faults.trial import Trial
from tests.support.processes import wait_until

ROW_S: Final = 0.05
MOST_ROWS_S: Final = 2.5


def test_whoever_comes_too_late_changes_nothing(trial: StartTrial, scale: Scale) -> None:
    # So slow that the zombie, which had most of its rows, is done before the other worker is.
    slowly = {"row_s": ROW_S, "slots": 1, "jobs": scale.jobs // 4, "in_flight": 4}
    with trial("SIGSTOP of a worker, then SIGCONT", **slowly) as running:
        for _ in range(3 if scale.is_full else 1):
            for zombie, is_done_elsewhere in zip(running.stack.workers, (True, False), strict=True):
                running.wait_until_busy(zombie)
                time.sleep(MOST_ROWS_S)
                victims = running.note_loss(zombie)
                zombie.pause()
                running.wait_until_ended(victims) if is_done_elsewhere else _wait_until_taken(running, victims)
                before = _results(running, victims)
                zombie.resume()
                time.sleep(running.stack.liveness_s)  # it would hand in its answers now
                assert before.items() <= _results(running, victims).items()


def _wait_until_taken(running: Trial, job_ids: frozenset[str]) -> None:
    """Until one of these jobs is begun again."""
    wait_until(lambda: any(len(running.ledger.entries[job_id].starts) > 1 for job_id in job_ids), within_s=60)


def _results(running: Trial, job_ids: frozenset[str]) -> dict[str, int]:
    """Files of the results that count, as far as there are any, and when they were written."""
    jobs = running.stack.data / "jobs"
    ended = [entry for entry in running.ledger.entries.values() if entry.job_id in job_ids and not entry.is_open]
    folders = [jobs / entry.job_id / f"results-{entry.last.attempts}" for entry in ended if entry.last is not None]
    return {str(path): path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*")}
