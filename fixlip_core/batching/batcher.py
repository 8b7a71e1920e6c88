"""The batcher: one thread that has a device, and runs on it what the threads of all jobs hand in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Condition, Lock, Thread, get_ident
from time import monotonic
from typing import Final, Self

from fixlip_core.batching.face import SharedEncoder
from fixlip_core.batching.faults import free_memory, is_lost, is_out_of_memory
from fixlip_core.batching.line import Line
from fixlip_core.batching.requests import Model, Piece, Request
from fixlip_core.batching.running import Runner
from fixlip_core.batching.statistics import BatcherStatistics, BatchRun, Modality
from fixlip_core.batching.turns import Turn
from fixlip_core.encoders.masked import MaskedRows
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import BatcherStoppedError, DeviceLostError, DeviceMemoryError, FixlipError
from fixlip_core.types import Embeddings

__all__ = ["Batcher"]

_CHECK_S: Final = 0.1
_MAX_WAIT_S: Final = 0.002
_MAX_QUEUED_ROWS: Final = 65_536


class Batcher:
    """Runs the masked rows of all jobs of a process on one device, in batches that the jobs share.

    Use it as a context manager. Each job has a face of its own to a model (:meth:`encoder_for`): an encoder like any
    other, whose calls wait for their rows. Rows of one model that can be stacked share batches, whosever they are;
    clients are served in turn, in equal parts. Methods that run towers themselves take a :meth:`turn`.

    What a job is told does not depend on whom it shared batches with: to the last bit in float32 on a CPU with one
    thread or two (:mod:`fixlip_core.encoders.steady`), else to 1e-5 in float32 and to what the precision gives below.

    A batch that does not fit into memory is halved, and so are those after it. An error of a batch of several calls is
    raised to the one that it comes from: each is run again by itself.

    Args:
        max_wait_s: how long a batch that is not full waits for rows of other jobs, on a device that works by itself;
            on a CPU, whose batches gain next to nothing from their size, none waits.
        max_queued_rows: rows in line from which on calls wait before they hand in more than their first.
        on_batch: called with each batch that was run, before anybody has its rows, in the device's thread: it is to be
            quick and must not raise.
    """

    def __init__(
        self,
        *,
        max_wait_s: float = _MAX_WAIT_S,
        max_queued_rows: int = _MAX_QUEUED_ROWS,
        on_batch: Callable[[BatchRun], object] = lambda _: None,
    ) -> None:
        self._max_wait_s = max_wait_s
        self._max_queued_rows = max_queued_rows
        self._lock = Lock()
        self._news = Condition(self._lock)  # for the device's thread
        self._room = Condition(self._lock)  # for callers with more rows than there was room for
        self._line = Line()
        self._models: dict[int, Model] = {}
        self._open: set[Request] = set()
        self._holder: Turn | None = None
        self._over: FixlipError | None = BatcherStoppedError("the batcher has not been started")
        self._runner = Runner(self._put_back, self._fail, on_batch)
        self._thread = Thread(target=self._serve, name="batcher", daemon=True)

    def __enter__(self) -> Self:
        self._over = None
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, after the batch that is being run; whoever waits is told so."""
        self._end(BatcherStoppedError("the batcher was stopped"))
        self._thread.join()

    @property
    def statistics(self) -> BatcherStatistics:
        """What has been done so far."""
        return self._runner.statistics

    def encoder_for(
        self, encoder: DualEncoder, *, client: Hashable, check: Callable[[], None] = lambda: None
    ) -> DualEncoder:
        """A job's face to a model.

        Its calls wait until their rows are done. What they raise besides the encoder's own errors: DeviceMemoryError,
        DeviceLostError, BatcherStoppedError, and what ``check`` raises.

        Args:
            encoder: the model.
            client: whose the rows are.
            check: called when a call begins and ten times a second while it waits; what it raises withdraws the rows
                that are not being run yet, and goes to the caller.
        """
        with self._lock:
            model = self._models.setdefault(id(encoder), Model(encoder))

            def run(modality: Modality, rows: MaskedRows) -> Embeddings:
                return self._encode(rows, Request(client, model, modality, rows), check)

            @contextmanager
            def beside(other: DualEncoder) -> Iterator[DualEncoder]:
                try:
                    yield self.encoder_for(other, client=client, check=check)
                finally:
                    self.forget(other)

            face = SharedEncoder(encoder, run, turn=partial(self.turn, check), beside=beside)
            model.faces.add(face)
        return face

    @contextmanager
    def turn(self, check: Callable[[], None] = lambda: None) -> Iterator[Turn]:
        """The device for the calling thread alone, once all who came before have had a batch or a turn.

        Within, calls of this batcher's encoders run in the calling thread, and so does a turn within a turn.

        Args:
            check: called ten times a second while the thread waits, here or in :meth:`Turn.pass_on`; what it raises
                ends the waiting and the turn.

        Raises:
            DeviceMemoryError: memory ran out within.
            DeviceLostError: the device failed for good, within or before.
            BatcherStoppedError: the batcher was stopped.
        """
        if self._holder is not None and self._has_turn():
            yield self._holder
            return
        turn = Turn(check, self._pass_on)
        try:
            self._wait_for(turn)
            yield turn
        except Exception as error:
            if is_out_of_memory(error):
                error.__traceback__ = None  # its frames hold what filled the memory
                free_memory()
                raise DeviceMemoryError("the device's memory cannot hold a step of this job") from error
            if is_lost(error):
                lost = DeviceLostError(f"the device failed: {error}")
                self._end(lost)
                raise lost from error
            raise
        finally:
            self._release(turn)

    def forget(self, encoder: DualEncoder) -> None:
        """Drop what is kept of a model that no job uses any more."""
        with self._lock:
            self._models.pop(id(encoder), None)

    def _encode(self, rows: MaskedRows, request: Request, check: Callable[[], None]) -> Embeddings:
        if self._has_turn():
            return rows.encode()
        check()
        if not rows.units:
            return rows.assembled([])
        try:
            self._hand_in(request, check)
            while not request.done.wait(_CHECK_S):
                check()
        finally:
            with self._lock:
                self._open.discard(request)
                request.done.set()
                self._line.withdraw(request)
        return request.result()

    def _hand_in(self, request: Request, check: Callable[[], None]) -> None:
        """Put the request's pieces in line as there is room for them; a client's first always finds some."""
        pieces = deque(request.pieces())
        while True:
            with self._lock:
                self._raise_if_over()
                self._open.add(request)
                while pieces and self._has_room_for(pieces[0]):
                    self._line.add(pieces.popleft())
                self._news.notify()
                if not pieces or request.done.is_set():
                    return
                self._room.wait(_CHECK_S)
            check()

    def _has_room_for(self, piece: Piece) -> bool:
        fits = self._line.rows + len(piece.unit) <= self._max_queued_rows
        return fits or not self._line.has_rows_of(piece.request.client)

    def _has_turn(self) -> bool:
        """Whether the device is the calling thread's own."""
        holder = self._holder
        return holder is not None and holder.thread == get_ident()

    def _wait_for(self, turn: Turn) -> None:
        with self._lock:
            self._raise_if_over()
            turn.granted.clear()
            self._line.ask(turn)
            self._news.notify()
        while not turn.granted.wait(_CHECK_S):
            turn.check()
        with self._lock:
            self._raise_if_over()

    def _pass_on(self, turn: Turn) -> None:
        with self._lock:
            self._raise_if_over()
            if not self._line:
                return
            self._holder = None
        self._wait_for(turn)

    def _release(self, turn: Turn) -> None:
        """End a turn, granted or not."""
        with self._lock:
            self._line.withdraw(turn)
            if self._holder is turn:
                self._holder = None
                self._news.notify()

    def _raise_if_over(self) -> None:
        if self._over is not None:
            raise _another(self._over)

    def _serve(self) -> None:
        """The device's thread."""
        try:
            while (step := self._next_step()) is not None:
                if isinstance(step, Turn):
                    self._grant(step)
                elif step:
                    self._runner.run(step)
                else:
                    self._runner.collect()
                # While there is nothing to do, the last batch's job and model are not to be kept.
                del step
        except DeviceLostError as lost:
            self._end(lost)
        except BaseException as error:
            # Nobody would run rows any more, and those who wait would wait for ever.
            self._end(DeviceLostError(f"the batcher failed: {error!r}"))
            raise

    def _next_step(self) -> Turn | Sequence[Piece] | None:
        """A turn to grant, a batch to run, nothing but what is under way, or None at the end."""
        with self._lock:
            while self._over is None:
                self._holder = self._line.take_turn()
                if self._holder is not None:
                    return self._holder
                lead = self._line.lead()
                wait_s = None if lead is None else self._worth_waiting_s(lead)
                if lead is None and self._runner.is_busy:
                    return []
                if lead is not None and not wait_s:
                    self._room.notify_all()
                    return self._line.take_batch()
                self._news.wait(wait_s)
        return None

    def _worth_waiting_s(self, lead: Piece) -> float:
        """How long to wait for rows of other jobs: not at all if the batch is full, or all are in line."""
        model, size = lead.request.model, lead.size
        if not lead.unit.tower.runs_ahead or len(model.faces) <= self._line.clients:
            return 0.0
        if self._line.positions(lead.lane) >= size.positions:
            return 0.0
        return max(0.0, lead.request.since_s + self._max_wait_s - monotonic())

    def _grant(self, turn: Turn) -> None:
        """Let a turn's thread have the device until it lets go."""
        self._runner.drain()
        started_s = monotonic()
        turn.granted.set()
        with self._lock:
            while self._holder is turn and self._over is None:
                self._news.wait()
        self._runner.count(busy_s=monotonic() - started_s)

    def _put_back(self, pieces: Sequence[Piece]) -> None:
        with self._lock:
            self._line.put_back([piece for piece in pieces if not piece.request.done.is_set()])

    def _fail(self, request: Request, error: BaseException) -> None:
        with self._lock:
            self._line.withdraw(request)
            request.fail(error)

    def _end(self, reason: FixlipError) -> None:
        """Take no more rows, and tell all who wait why; the first reason counts."""
        with self._lock:
            self._over = self._over or reason
            for request in self._open:
                request.fail(_another(self._over))
            turns = [*self._line.clear(), *([self._holder] if self._holder else [])]
            self._news.notify_all()
            self._room.notify_all()
        for turn in turns:
            turn.granted.set()


def _another(error: FixlipError) -> FixlipError:
    """The same error for another thread: each adds its own traceback to what it raises."""
    return type(error)(*error.args)
