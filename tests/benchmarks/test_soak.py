from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.processes import descendants, usage_of
from benchmarks.soak import growth


def test_growth_compares_the_tenth_after_the_warm_up_with_the_last() -> None:
    sizes = [5.0] * 20 + [100.0] * 10 + [500.0] * 60 + [130.0] * 10
    assert growth(sizes) == (100.0, 130.0)
    assert growth([5.0, 100.0, 130.0]) == (5.0, 130.0)


def test_one_sample_out_of_line_is_no_growth() -> None:
    sizes = [100.0] * 100
    sizes[25] = sizes[95] = 10_000.0
    assert growth(sizes) == (100.0, 100.0)


def test_usage_counts_a_process_and_its_children() -> None:
    script = (
        "import subprocess, sys; hoard = b'x' * 30_000_000; sum(range(3_000_000));"
        "subprocess.run([sys.executable, '-c', 'hoard = bytes(range(256)) * 200_000; print(1, flush=True); input()'])"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "1\n"
        (child,) = descendants(process.pid)
        both, alone = usage_of(process.pid), usage_of(child)
        process.communicate("\n")
    assert (both.processes, alone.processes) == (2, 1)
    assert both.rss_bytes > 30e6
    assert both.pss_bytes > 30e6 + 51e6
    assert both.cpu_s >= alone.cpu_s > 0
    with pytest.raises(OSError, match=str(process.pid)):
        usage_of(process.pid)


def test_cpu_time_is_that_of_the_process() -> None:
    before, started = usage_of(os.getpid()).cpu_s, time.process_time()
    while time.process_time() - started < 0.2:
        pass
    assert usage_of(os.getpid()).cpu_s - before == pytest.approx(0.2, abs=0.1)
