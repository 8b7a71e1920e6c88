"""Jobs run in the test's own process, by a worker's runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from service.jobs.records import Job
from tests.support.jobs import submit
from worker.runtime import Runtime
from worker.tasks import run_job

__all__ = ["SLOT", "Serve", "files_of", "raising", "run"]

SLOT: Final = "a-worker/1"

Serve: TypeAlias = Callable[..., Runtime]
"""``serve(*encoders, **settings)``: a runtime with these encoders, or the fake one, that tasks of this process find."""


def run(runtime: Runtime, **changes: Any) -> Job:
    """A job of these fields, once it was run."""
    job = submit(runtime.repository, runtime.bundles, **changes)
    run_job(runtime, job.id, worker_id=SLOT)
    return runtime.repository.get(job.id)


def files_of(runtime: Runtime, job: Job) -> dict[str, bytes]:
    """The stored results of a job that has succeeded."""
    results = runtime.repository.row(job.id).books.results
    assert results is not None
    return runtime.bundles.read(results)


def raising(error: BaseException) -> Callable[[], None]:
    """What raises ``error`` whenever it is called."""

    def raise_it() -> None:
        raise error

    return raise_it
