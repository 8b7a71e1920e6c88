"""The suite's own instruments: a ledger that notices, a network that loses, a disk that is full."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import LimitedFiles, small_disk
from tests.faults.ledger import Ledger, Loss, Sighting
from tests.faults.orders import Order
from tests.faults.proxy import Proxy

RUNNING = Sighting("running", None, started_at=100.0, completed_at=None, attempts=1)
DONE = Sighting("succeeded", None, started_at=100.0, completed_at=101.0, attempts=1)
GIVEN_UP = Sighting("failed", "worker_lost", started_at=100.0, completed_at=130.0, attempts=3)


class TestLedger:
    @pytest.fixture
    def ledger(self) -> Ledger:
        ledger = Ledger()
        ledger.promise("a", Order())
        ledger.see("a", RUNNING)
        return ledger

    def test_whatever_was_final_and_changes_is_noticed(self, ledger: Ledger) -> None:
        ledger.see("a", DONE)
        ledger.see("a", DONE)
        assert not ledger.changed
        ledger.see("a", dataclasses.replace(DONE, completed_at=102.0))
        assert len(ledger.changed) == 1

    def test_jobs_are_open_until_they_are_seen_to_end(self, ledger: Ledger) -> None:
        assert ledger.open == {"a"}
        ledger.see("a", DONE)
        assert not ledger.open
        assert "a" in ledger.worth_a_look()

    def test_gap_is_from_a_loss_to_the_next_start(self, ledger: Ledger) -> None:
        ledger.losses += [Loss(at=100.5, victims=frozenset("a")), Loss(at=99.0, victims=frozenset("b"))]
        assert not list(ledger.gaps_s())
        ledger.see("a", dataclasses.replace(RUNNING, started_at=112.5, attempts=2))
        assert list(ledger.gaps_s()) == [12.0]

    def test_only_a_job_that_lost_three_workers_may_be_given_up(self, ledger: Ledger) -> None:
        ledger.see("a", GIVEN_UP)
        for losses in range(4):
            assert ledger.is_as_promised(ledger.entries["a"]) == (losses >= 3)
            ledger.losses.append(Loss(at=100.0 + losses, victims=frozenset("a")))

    def test_another_end_than_the_promised_one(self, ledger: Ledger) -> None:
        ledger.promise("b", Order(), ("canceled", None))
        for job_id in "ab":
            ledger.see(job_id, DONE)
        assert [ledger.is_as_promised(ledger.entries[job_id]) for job_id in "ab"] == [True, False]


class TestProxy:
    @pytest.fixture
    def ends(self) -> Iterator[tuple[Proxy, socket.socket, socket.socket]]:
        """The proxy, a client of it, and the connection that the server got."""
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            Proxy(server.getsockname()[1]) as proxy,
            socket.create_connection(proxy.address) as near,
            server.accept()[0] as far,
        ):
            for end in (near, far):
                end.settimeout(10)
            yield proxy, near, far

    def test_what_was_sent_into_a_black_hole_arrives_late(
        self, ends: tuple[Proxy, socket.socket, socket.socket]
    ) -> None:
        proxy, near, far = ends
        proxy.hold()
        near.sendall(b"late")
        far.settimeout(0.3)
        with pytest.raises(TimeoutError):
            far.recv(4)
        near.close()  # its sender has given up meanwhile
        far.settimeout(10)
        proxy.heal()
        assert far.recv(4) == b"late"

    def test_a_cut_ends_connections_until_it_is_healed(self, ends: tuple[Proxy, socket.socket, socket.socket]) -> None:
        proxy, near, far = ends
        proxy.cut()
        assert (near.recv(1), far.recv(1)) == (b"", b"")
        with socket.create_connection(proxy.address) as refused:
            refused.settimeout(10)
            assert refused.recv(1) == b""
        proxy.heal()


class TestDisks:
    WRITER = """
import pathlib, sys
for line in sys.stdin:
    try:
        pathlib.Path(line.strip()).write_text("x")
    except OSError:
        print("full", flush=True)
    else:
        print("ok", flush=True)
"""

    def test_a_limited_process_writes_nothing_until_it_is_free(self, tmp_path: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", self.WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdin is not None
            assert writer.stdout is not None
            disk = LimitedFiles(lambda: [writer.pid])
            for change, answer in ((disk.free, "ok"), (disk.fill, "full"), (disk.free, "ok")):
                change()
                print(tmp_path / "file", file=writer.stdin, flush=True)
                assert writer.stdout.readline().strip() == answer
            writer.stdin.close()

    def test_a_small_disk_is_full_until_it_is_free(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk") as disk:
            if disk is None:
                return  # nothing may be mounted here, and the limit above is what is used
            disk.fill()
            with pytest.raises(OSError, match="No space left"):
                (tmp_path / "disk" / "file").write_bytes(b"x")
            disk.free()
            (tmp_path / "disk" / "file").write_bytes(b"x")
