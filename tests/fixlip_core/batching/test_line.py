"""Who is next, and what goes together; without threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

import numpy as np

from fixlip_core.batching.line import Line
from fixlip_core.batching.requests import Model, Request
from fixlip_core.batching.turns import Turn
from tests.support.stacking_encoder import StackingEncoder, StackingTower, rows_of

LARGE = 10**6


class Desk:
    """A line, and a model whose batches hold so many rows and whose units have so many."""

    def __init__(self, rows_per_batch: int = 12, rows_per_unit: int = 4) -> None:
        self.line = Line()
        self.tower = StackingTower(rows_per_batch)
        self.encoder = StackingEncoder(tower=self.tower, rows_per_unit=rows_per_unit)
        self.model = Model(self.encoder)
        self.model.size_of(self.tower).took(LARGE, 1e-9)

    def hand_in(self, client: Hashable, rows: int, *, bucket: str = "b", tag: int = 0) -> Request:
        request = Request(
            client, self.model, "text", self.encoder.masked_text(f"{tag} {bucket}", "mask").rows(rows_of(rows))
        )
        for piece in request.pieces():
            self.line.add(piece)
        return request

    def served(self) -> list[tuple[Hashable, int]]:
        """(client, rows) of the next batch, client by client."""
        rows: Counter[Hashable] = Counter()
        for piece in self.line.take_batch():
            rows[piece.request.client] += len(piece.unit)
        return list(rows.items())


def a_turn() -> Turn:
    return Turn(lambda: None, lambda _: None)


def test_a_batch_is_shared_in_equal_parts() -> None:
    desk = Desk(rows_per_batch=24)
    desk.hand_in("large", 400)
    desk.hand_in("small", 6)
    desk.hand_in("medium", 30)
    assert desk.served() == [("large", 8), ("small", 6), ("medium", 8)]
    assert desk.served() == [("large", 12), ("medium", 12)]


def test_who_was_served_goes_to_the_end() -> None:
    desk = Desk(rows_per_batch=4)
    for client in "abc":
        desk.hand_in(client, 8)
    assert [desk.served() for _ in range(6)] == [[(client, 4)] for client in "abcabc"]
    assert not desk.line
    assert desk.line.rows == 0
    assert desk.line.take_batch() == []


def test_many_rows_do_not_keep_a_few_waiting() -> None:
    desk = Desk(rows_per_batch=12)
    desk.hand_in("large", 65_536)
    assert desk.served() == [("large", 12)]
    desk.hand_in("small", 4)
    assert ("small", 4) in desk.served()


def test_only_one_lane_shares_a_batch_and_lanes_take_turns() -> None:
    desk = Desk(rows_per_batch=8)
    desk.hand_in("a", 16, bucket="x")
    desk.hand_in("b", 8, bucket="y")
    desk.hand_in("c", 8, bucket="x")
    assert desk.served() == [("a", 4), ("c", 4)]
    assert desk.served() == [("b", 8)]
    assert desk.served() == [("a", 4), ("c", 4)]
    assert desk.served() == [("a", 8)]


def test_pieces_of_a_call_stay_side_by_side_and_in_order() -> None:
    desk = Desk(rows_per_batch=24)
    first, second = desk.hand_in("a", 12), desk.hand_in("b", 12)
    batch = desk.line.take_batch()
    assert [(piece.request, piece.start) for piece in batch] == [
        (r, start) for r in (first, second) for start in (0, 4, 8)
    ]


def test_a_turn_is_taken_in_its_place() -> None:
    desk, turn = Desk(rows_per_batch=4), a_turn()
    desk.hand_in("a", 8)
    desk.line.ask(turn)
    assert desk.line.take_turn() is None
    assert desk.served() == [("a", 4)]
    assert desk.line.take_batch() == []
    assert desk.line.take_turn() is turn
    assert desk.served() == [("a", 4)]


def test_what_is_withdrawn_is_gone() -> None:
    desk, turn = Desk(rows_per_batch=64), a_turn()
    kept = desk.hand_in("a", 8)
    gone = desk.hand_in("a", 8)
    desk.hand_in("a", 8, bucket="other")
    desk.line.ask(turn)
    desk.line.withdraw(gone)
    desk.line.withdraw(turn)
    desk.line.withdraw(turn)
    assert desk.line.rows == 16
    assert {piece.request for piece in desk.line.take_batch()} == {kept}
    assert desk.served() == [("a", 8)]
    desk.line.withdraw(kept)
    assert not desk.line


def test_what_is_put_back_is_first() -> None:
    desk = Desk(rows_per_batch=8)
    desk.hand_in("a", 8, bucket="x")
    desk.hand_in("b", 4, bucket="x")
    desk.hand_in("a", 4, bucket="y")
    desk.hand_in("c", 4, bucket="y")
    batch = desk.line.take_batch()
    desk.line.put_back(batch)
    assert desk.line.rows == 20
    again = desk.line.take_batch()
    assert [(p.request, p.start) for p in again] == [(p.request, p.start) for p in batch]


def test_what_memory_cannot_hold_is_split() -> None:
    desk = Desk(rows_per_batch=64, rows_per_unit=16)
    desk.hand_in("a", 16)
    desk.model.size_of(desk.tower).halve(8 * 5)
    starts = []
    while batch := desk.line.take_batch():
        assert sum(len(piece.unit) for piece in batch) <= 4
        starts += [piece.start for piece in batch]
    assert starts == [0, 4, 8, 12]


def test_a_row_that_may_not_fit_is_tried_all_the_same() -> None:
    desk = Desk(rows_per_batch=1, rows_per_unit=1)
    desk.hand_in("a", 1)
    desk.model.size_of(desk.tower).halve(1)
    assert desk.served() == [("a", 1)]


def test_random_schedules_lose_nothing_and_serve_everyone() -> None:
    """Whatever is handed in, withdrawn and put back: each row is served once, and nobody waits long."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        desk = Desk(rows_per_batch=int(rng.integers(4, 40)), rows_per_unit=int(rng.integers(1, 6)))
        handed: dict[Request, int] = {}
        taken: Counter[Request] = Counter()
        waits: Counter[Hashable] = Counter()
        for _ in range(200):
            if rng.random() < 0.4:
                rows = int(rng.integers(1, 60))
                request = desk.hand_in(int(rng.integers(5)), rows, bucket=str(rng.integers(2)))
                handed[request] = rows
            elif handed and rng.random() < 0.05:
                gone = list(handed)[int(rng.integers(len(handed)))]
                desk.line.withdraw(gone)
                handed[gone] = taken[gone]
            batch = desk.line.take_batch()
            if rng.random() < 0.1:
                desk.line.put_back(batch)
                continue
            assert len({piece.lane for piece in batch}) <= 1
            for piece in batch:
                taken[piece.request] += len(piece.unit)
            served = {piece.request.client for piece in batch}
            for client in range(5):
                waits[client] = 0 if client in served or not desk.line.has_rows_of(client) else waits[client] + 1
            assert max(waits.values()) <= 5
        while batch := desk.line.take_batch():
            for piece in batch:
                taken[piece.request] += len(piece.unit)
        assert taken == Counter(handed)
        assert desk.line.rows == 0
        assert not desk.line
