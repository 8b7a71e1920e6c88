"""Who waits for the device, and who is next.

Clients stand in line, and so do those who want the device for a turn of their own. The first in line settles what is
run: its oldest rows, and rows of every other client that can share their batch, in equal parts. Whoever had some goes
to the end of the line. So nobody waits for more than one batch of each of the others, however much these have to do.

Nothing here knows of threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence

from fixlip_core.batching.requests import Piece, Request
from fixlip_core.batching.turns import Turn

__all__ = ["Line"]


class Line:
    """Clients with rows, and turns, in the order in which they are served."""

    def __init__(self) -> None:
        self._order: dict[Hashable, None] = {}
        self._lanes_of: dict[Hashable, dict[Hashable, deque[Piece]]] = {}
        self.rows = 0
        """Rows in line."""

    def __len__(self) -> int:
        return len(self._order)

    def has_rows_of(self, client: Hashable) -> bool:
        """Whether a client has rows in line."""
        return client in self._lanes_of

    @property
    def clients(self) -> int:
        """How many clients have rows in line."""
        return len(self._lanes_of)

    def add(self, piece: Piece) -> None:
        """Put a piece behind those of its client; a client that is not in line goes to its end."""
        client = piece.request.client
        self._order.setdefault(client)
        self._lanes_of.setdefault(client, {}).setdefault(piece.lane, deque()).append(piece)
        self.rows += len(piece.unit)

    def ask(self, turn: Turn) -> None:
        """Put a turn at the end of the line."""
        self._order[turn] = None

    def take_turn(self) -> Turn | None:
        """The turn that is first in line, if it is one; it leaves the line."""
        first = next(iter(self._order), None)
        if not isinstance(first, Turn):
            return None
        del self._order[first]
        return first

    def lead(self) -> Piece | None:
        """The piece that leads the next batch; None where a turn is next, or nobody waits."""
        lanes = self._lanes_of.get(next(iter(self._order), None))
        return next(iter(lanes.values()))[0] if lanes else None

    def positions(self, lane: Hashable) -> int:
        """Positions of all rows of a lane."""
        waiting = (piece for lanes in self._lanes_of.values() for piece in lanes.get(lane, ()))
        return sum(piece.unit.positions for piece in waiting)

    def take_batch(self) -> list[Piece]:
        """The next batch, which leaves the line: pieces of one lane, those of a request side by side and in order."""
        lead = self._lead_that_fits()
        if lead is None:
            return []
        room = lead.size.positions
        waiting = {client: self._lanes_of[client][lead.lane] for client in self._order if self._has(client, lead.lane)}
        batch: list[Piece] = []
        while waiting:
            for client, pieces in list(waiting.items()):
                if not pieces or (batch and pieces[0].unit.positions > room):
                    del waiting[client]
                    continue
                batch.append(pieces.popleft())
                room -= batch[-1].unit.positions
        self.rows -= sum(len(piece.unit) for piece in batch)
        for client in dict.fromkeys(piece.request.client for piece in batch):
            self._tidy(client, lead.lane)
            self._order.pop(client, None)
            if self.has_rows_of(client):
                self._order[client] = None
        requests = list(dict.fromkeys(piece.request for piece in batch))
        return sorted(batch, key=lambda piece: (requests.index(piece.request), piece.start))

    def put_back(self, pieces: Sequence[Piece]) -> None:
        """Put pieces to the front of the line, before all others of their clients."""
        for piece in reversed(pieces):
            client = piece.request.client
            lanes = self._lanes_of.pop(client, {})
            same = lanes.pop(piece.lane, deque())
            same.appendleft(piece)
            self._lanes_of[client] = {piece.lane: same, **lanes}
            self._order = {client: None, **{other: None for other in self._order if other != client}}
            self.rows += len(piece.unit)

    def withdraw(self, waiting: Request | Turn) -> None:
        """Take a turn, or what is left of a request, out of the line."""
        if isinstance(waiting, Turn):
            self._order.pop(waiting, None)
            return
        for lane, pieces in list(self._lanes_of.get(waiting.client, {}).items()):
            for piece in [piece for piece in pieces if piece.request is waiting]:
                pieces.remove(piece)
                self.rows -= len(piece.unit)
            self._tidy(waiting.client, lane)

    def clear(self) -> list[Turn]:
        """Empty the line; the turns that stood in it."""
        turns = [waiting for waiting in self._order if isinstance(waiting, Turn)]
        self._order.clear()
        self._lanes_of.clear()
        self.rows = 0
        return turns

    def _has(self, client: Hashable, lane: Hashable) -> bool:
        return lane in self._lanes_of.get(client, ())

    def _lead_that_fits(self) -> Piece | None:
        """The piece that leads, split until memory holds it. Halves may belong to other lanes than the whole."""
        while (lead := self.lead()) and lead.unit.positions > lead.size.held and len(lead.unit) > 1:
            client = lead.request.client
            self._lanes_of[client][lead.lane].popleft()
            self.rows -= len(lead.unit)
            self._tidy(client, lead.lane)
            self.put_back(lead.halves())
        return lead

    def _tidy(self, client: Hashable, lane: Hashable) -> None:
        """Forget a lane of a client that is empty, and the client without lanes."""
        lanes = self._lanes_of[client]
        if not lanes[lane]:
            del lanes[lane]
        if not lanes:
            del self._lanes_of[client], self._order[client]
