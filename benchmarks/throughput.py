"""Jobs per second of the real service: ``python -m benchmarks.throughput``.

Two comparisons, each alone with ``--only jobs|processes``, of two settings of the whole stack that run in turns:

* jobs: 32 small jobs (FIxLIP, 64 image passes, demo encoder, a scene each) one at a time, each submitted when the one
  before it has ended, to a worker of one slot; and all at once, to a worker of several slots;
* processes: a queue of mixed jobs of all methods, worked off by one worker of one thread and one slot, and by two.

Then where the time went: seconds of CPU of each part for every job.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.deployment import Deployment, deploy
from benchmarks.gpu import BusyMeter
from benchmarks.processes import Usage
from benchmarks.workload import Finished, Submission, finish, mixed_jobs, small_jobs, submit

WARM_UP_JOBS = 4
PATIENT_S = 0.2
ONE_THREAD = {"FIXLIP_THREADS": "1", "FIXLIP_CONCURRENCY": "1"}


@dataclass(frozen=True, slots=True)
class Setting:
    """How a workload is run.

    Attributes:
        workers: the settings of each worker process.
        one_at_a_time: whether a job is submitted when the one before it has ended, or all at once.
    """

    workers: Sequence[Mapping[str, str]]
    one_at_a_time: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workload.

    Attributes:
        wall_s: from the first submission to the end of the last job.
        jobs: the jobs as they ended.
        before: what the parts used when it began.
        after: what the parts used when it ended.
        busy: share of the time in which the GPU ran a kernel, nan without one.
    """

    wall_s: float
    jobs: Sequence[Finished]
    before: Mapping[str, Usage]
    after: Mapping[str, Usage]
    busy: float

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return len(self.jobs) / self.wall_s


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["jobs", "processes"])
    parser.add_argument("--jobs", type=int, default=32)
    parser.add_argument("--concurrency", type=int, default=4, help="slots of the worker that gets all jobs at once")
    parser.add_argument("--processes", type=int, default=2, help="workers that are compared with one")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each kind; the fastest counts")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    console = Console(width=120)
    if options.only in (None, "jobs"):
        jobs = small_jobs(options.jobs)
        kinds = {
            "one at a time, 1 slot": Setting(({"FIXLIP_CONCURRENCY": "1"},), one_at_a_time=True),
            f"all at once, {options.concurrency} slots": Setting(({"FIXLIP_CONCURRENCY": f"{options.concurrency}"},)),
        }
        title = f"{len(jobs)} small jobs (64 image passes) on the demo encoder, {options.device}"
        _compare(console, title, jobs, kinds, device=options.device, repeats=options.repeats)
    if options.only in (None, "processes"):
        jobs = mixed_jobs(options.jobs)
        kinds = {f"{count} x 1 thread, 1 slot": Setting((ONE_THREAD,) * count) for count in (1, options.processes)}
        title = f"{len(jobs)} mixed jobs on the demo encoder, {options.device}"
        _compare(console, title, jobs, kinds, device=options.device, repeats=options.repeats)


def _compare(
    console: Console,
    title: str,
    jobs: Sequence[Submission],
    settings: Mapping[str, Setting],
    *,
    device: str,
    repeats: int,
) -> None:
    """Run the jobs in every setting, in turns, and print how the fastest run of each went."""
    runs: dict[str, list[Run]] = {name: [] for name in settings}
    for _ in range(repeats):
        for name, setting in settings.items():
            runs[name].append(measure(jobs, setting, device=device))
    best = {name: min(found, key=lambda run: run.wall_s) for name, found in runs.items()}
    console.print(_rates_table(title, best))
    console.print(_cpu_table(best))


def measure(jobs: Sequence[Submission], setting: Setting, *, device: str) -> Run:
    """Run the jobs on a fresh deployment, after a few to warm it up.

    Raises:
        RuntimeError: a part did not start, or a job did not succeed.
    """
    with deploy({"FIXLIP_DEVICE": device}, workers=setting.workers) as service:
        warm_up = jobs[: WARM_UP_JOBS * len(setting.workers)]
        finish(service.http, [submit(service.http, job) for job in warm_up])
        before = service.usage()
        with BusyMeter(on=device != "cpu") as meter:
            started = time.perf_counter()
            finished = _run(service, jobs, one_at_a_time=setting.one_at_a_time)
            wall_s = time.perf_counter() - started
        after = service.usage()
    if failed := [job for job in finished if job.status != "succeeded"]:
        raise RuntimeError(f"{len(failed)} jobs did not succeed; the first: {failed[0].status} {failed[0].code}")
    return Run(wall_s, finished, before, after, meter.share)


def _run(service: Deployment, jobs: Sequence[Submission], *, one_at_a_time: bool) -> list[Finished]:
    if one_at_a_time:
        return [finish(service.http, [submit(service.http, job)])[0] for job in jobs]
    # Polls cost the cores that the jobs need; of many jobs it is the last one's end alone that must be seen at once.
    return finish(service.http, [submit(service.http, job) for job in jobs], poll_s=PATIENT_S)


def _rates_table(title: str, runs: Mapping[str, Run]) -> Table:
    table = Table(title=title)
    for name in ("", "wall, s", "jobs/s", "ratio", "mean latency, s", "mean run, s", "worker memory, MB", "GPU busy"):
        table.add_column(name, justify="right" if name else "left")
    first, *_ = runs.values()
    for name, run in runs.items():
        memory_bytes = sum(usage.pss_bytes for part, usage in run.after.items() if part.startswith("worker"))
        table.add_row(
            name,
            f"{run.wall_s:.2f}",
            f"{run.rate:.2f}",
            f"{run.rate / first.rate:.2f}",
            f"{statistics.fmean(job.wall_s for job in run.jobs):.2f}",
            f"{statistics.fmean(job.run_s for job in run.jobs):.2f}",
            f"{memory_bytes / 1e6:.0f}",
            "-" if math.isnan(run.busy) else f"{run.busy:.0%}",
        )
    return table


def _cpu_table(runs: Mapping[str, Run]) -> Table:
    table = Table(title="milliseconds of CPU per job")
    for name in ("", *runs):
        table.add_column(name, justify="right" if name else "left")
    spent = [_cpu_s_per_job(run) for run in runs.values()]
    for part in spent[0]:
        table.add_row(part, *(f"{1e3 * cpu_s[part]:.0f}" for cpu_s in spent))
    cores = (sum(cpu_s.values()) * run.rate for cpu_s, run in zip(spent, runs.values(), strict=True))
    table.add_row("cores busy", *(f"{busy:.2f}" for busy in cores))
    return table


def _cpu_s_per_job(run: Run) -> dict[str, float]:
    """Seconds of CPU by part; of the workers, those of all."""
    spent = {"redis": 0.0, "api": 0.0, "workers": 0.0, "their rendering": 0.0}
    for name, after in run.after.items():
        before = run.before[name]
        own_s, all_s = after.own_cpu_s - before.own_cpu_s, after.cpu_s - before.cpu_s
        spent["workers" if name.startswith("worker") else name] += own_s / len(run.jobs)
        if name.startswith("worker"):
            spent["their rendering"] += (all_s - own_s) / len(run.jobs)
    return spent


if __name__ == "__main__":
    main()
