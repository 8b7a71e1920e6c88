from __future__ import annotations

import gc
import subprocess
import sys

from fixlip.memory import begin_for_good, stay_for_good

PROGRAM = """
import ctypes, sys, threading
from fixlip.memory import limit_arenas
if sys.argv[1] == "limited":
    limit_arenas()
malloc = ctypes.CDLL(None).malloc
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
together = threading.Barrier(8)
found = []
def take():
    together.wait()
    found.append(malloc(1000) >> 26)  # the heaps of an arena begin at multiples of 64 MB
    together.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(set(found)))
"""


def arenas(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_threads_share_two_arenas() -> None:
    assert arenas("limited") <= 2 < arenas("free")


def test_what_is_made_in_the_beginning_is_never_looked_through_again() -> None:
    begin_for_good()
    try:
        assert not gc.isenabled()
        stay_for_good()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 1000
    finally:
        gc.enable()
        gc.unfreeze()
