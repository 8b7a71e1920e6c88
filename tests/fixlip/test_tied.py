from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from fixlip._tied import tied
from tests.support.processes import alive, wait_until


def test_command_runs_as_the_very_child() -> None:
    code = "import os, sys; print(os.getpid(), *sys.argv[1:])"
    with subprocess.Popen(tied([sys.executable, "-c", code, "a b", "--c"]), stdout=subprocess.PIPE, text=True) as child:
        output, _ = child.communicate()
    assert output.split() == [str(child.pid), "a", "b", "--c"]


def test_child_ends_with_a_parent_that_is_killed() -> None:
    code = (
        "import subprocess, time; from fixlip._tied import tied\n"
        "child = subprocess.Popen(tied(['/bin/sleep', '60'])); print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until(lambda: Path(f"/proc/{child}/cmdline").read_text().startswith("/bin/sleep"))
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not alive(child))


def test_child_of_another_parent_does_not_start() -> None:
    command = tied(["/bin/echo", "started"])
    command[command.index(str(os.getpid()))] = "1"
    assert subprocess.run(command, capture_output=True, check=True).stdout == b""
