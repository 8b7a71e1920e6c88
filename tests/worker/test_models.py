from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from fixlip_core.batching import Batcher
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import UnknownModelError, WeightsNotFoundError
from service.jobs.records import JobModel
from tests.support.fake_encoder import CARD, FakeEncoder
from tests.support.processes import wait_until
from worker.models import Load, ModelPool, ModelTooLargeError


def no_check() -> None:
    """Nothing ends the wait."""


class Shop:
    """Models ``a`` to ``d``, of 100 bytes each; remembers what it loaded."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.left: list[str] = []
        self.size_bytes = 100
        self.weights_sha256 = CARD.weights_sha256

    @property
    def loads(self) -> Mapping[str, Load]:
        return {name: self._load_of(name) for name in "abcd"}

    def pool(self, budget_bytes: int | None) -> ModelPool:
        pool = ModelPool(
            self.loads, budget_bytes=budget_bytes, on_unload=lambda encoder: self.left.append(encoder.card.id)
        )
        pool.load_all()
        self.loaded.clear()
        return pool

    def _load_of(self, name: str) -> Load:
        def load() -> DualEncoder:
            self.loaded.append(name)
            return FakeEncoder(
                card=replace(CARD, id=name, weights_sha256=self.weights_sha256), weights_bytes=self.size_bytes
            )

        return load


@pytest.fixture
def shop() -> Shop:
    return Shop()


def model(name: str) -> JobModel:
    return JobModel(id=name, revision=CARD.revision)


def use(pool: ModelPool, names: str) -> None:
    for name in names:
        with pool.use(model(name), no_check) as encoder:
            assert encoder.card.id == name


def test_all_are_known_though_not_all_fit(shop: Shop) -> None:
    pool = shop.pool(budget_bytes=250)
    assert [card.id for card in pool.cards] == ["a", "b", "c", "d"]
    use(pool, "abab")
    assert shop.loaded == []
    use(pool, "d")
    assert shop.loaded == ["d"]


def test_without_a_budget_all_stay(shop: Shop) -> None:
    pool = shop.pool(budget_bytes=None)
    use(pool, "abcdabcd")
    assert shop.loaded == shop.left == []


def test_the_least_recently_used_leaves(shop: Shop) -> None:
    pool = shop.pool(budget_bytes=200)
    use(pool, "abac")
    assert shop.left == ["b"]
    use(pool, "b")
    assert shop.left == ["b", "a"]
    use(pool, "cbc")
    assert shop.loaded == ["c", "b"]


def test_it_tells_what_is_loaded_and_how_large(shop: Shop) -> None:
    pool = shop.pool(200)
    assert pool.loaded_bytes == {"a": 100, "b": 100}
    with pool.use(JobModel(id="c", revision=CARD.revision), no_check):
        assert pool.loaded_bytes == {"b": 100, "c": 100}


def test_one_in_use_never_leaves(shop: Shop) -> None:
    pool = shop.pool(budget_bytes=200)
    with pool.use(model("a"), no_check):
        use(pool, "bcdb")
    assert "a" not in shop.left


def test_two_that_do_not_fit_together_are_used_by_turns(shop: Shop) -> None:
    pool = shop.pool(budget_bytes=100)
    inside: list[str] = []

    def work(name: str) -> None:
        with pool.use(model(name), no_check):
            inside.append(name)
            time.sleep(0.01)
            assert set(inside) == {name}, "both were in the memory of one"
            inside.remove(name)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, "abab"))


def test_who_waits_for_room_is_not_overtaken(shop: Shop) -> None:
    pool = shop.pool(budget_bytes=100)
    order: list[str] = []

    def work(name: str) -> None:
        with pool.use(model(name), no_check):
            order.append(name)

    with ThreadPoolExecutor(2) as threads:
        with pool.use(model("a"), no_check):
            b = threads.submit(work, "b")
            wait_until(lambda: len(pool._line) == 1)
            a = threads.submit(work, "a")
            wait_until(lambda: len(pool._line) == 2)
        b.result(10)
        a.result(10)
    assert order == ["b", "a"]


def test_what_check_raises_ends_the_wait_and_the_next_comes(shop: Shop) -> None:
    class Enough(Exception):
        pass

    def enough() -> None:
        raise Enough

    pool = shop.pool(budget_bytes=100)
    with pool.use(model("a"), no_check):
        with pytest.raises(Enough), pool.use(model("b"), enough):
            pytest.fail("there was no room")
        use(pool, "a")
    assert shop.left == []


def test_one_loads_while_the_users_of_another_go_on(shop: Shop) -> None:
    may_load = threading.Event()
    loads = {"a": shop.loads["a"], "b": lambda: (may_load.wait(10), shop.loads["b"]())[1]}
    may_load.set()
    pool = ModelPool(loads, budget_bytes=100)
    pool.load_all()
    may_load.clear()
    with ThreadPoolExecutor(1) as threads:
        loading = threads.submit(use, pool, "b")
        wait_until(lambda: not pool._loaded)
        may_load.set()
        loading.result(10)


def test_nothing_keeps_a_model_that_has_left() -> None:
    class Mortal(FakeEncoder):
        """One that can be watched."""

    watched: list[weakref.ref[Mortal]] = []

    def load(name: str) -> DualEncoder:
        encoder = Mortal(card=replace(CARD, id=name), weights_bytes=100)
        watched.append(weakref.ref(encoder))
        return encoder

    with Batcher() as batcher:
        pool = ModelPool({name: partial(load, name) for name in "ab"}, budget_bytes=100, on_unload=batcher.forget)
        pool.load_all()
        for name in "ab":
            with pool.use(model(name), no_check) as encoder:
                face = batcher.encoder_for(encoder, client="a job")
                face.encode_texts("a red circle", np.ones((2, 3), dtype=bool))
        del encoder, face
        assert [kept.card.id for ref in watched if (kept := ref()) is not None] == ["b"]


def test_memory_is_given_back_when_nothing_refers_to_the_model_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mortal(FakeEncoder):
        """One that can be watched."""

    alive: list[list[str]] = []
    watched: list[weakref.ref[Mortal]] = []

    def look() -> None:
        alive.append([kept.card.id for ref in watched if (kept := ref()) is not None])

    def load(name: str) -> DualEncoder:
        look()
        encoder = Mortal(card=replace(CARD, id=name), weights_bytes=100)
        watched.append(weakref.ref(encoder))
        return encoder

    monkeypatch.setattr("worker.models.free_memory", look)
    with Batcher() as batcher:
        pool = ModelPool({name: partial(load, name) for name in "abc"}, budget_bytes=100, on_unload=batcher.forget)
        pool.load_all()
        use(pool, "b")
    at_start = [[], ["a"], ["a"], ["a"], ["a"]]  # at each load, and after those of b and c, which do not stay
    for_b: list[list[str]] = [[], []]
    assert alive == at_start + for_b


def test_an_unknown_model_is_told_those_there_are(shop: Shop) -> None:
    with pytest.raises(UnknownModelError, match="'gone' is not served; served models: a, b, c, d"):
        use(shop.pool(None), ["gone"])  # type: ignore[arg-type]  # a name of more than one letter


def test_another_revision_is_another_model(shop: Shop) -> None:
    pool = shop.pool(None)
    asked = JobModel(id="a", revision="sha256:old")
    with pytest.raises(UnknownModelError, match="in revision sha256:0123456789abcdef, not sha256:old") as raised:
        pool.use(asked, no_check).__enter__()
    assert raised.value.code == "model_changed"


def test_weights_that_changed_while_they_were_not_loaded_are_noticed(shop: Shop) -> None:
    pool = shop.pool(budget_bytes=100)
    shop.weights_sha256 = "f" * 64
    with pytest.raises(UnknownModelError, match="in revision sha256:ffffffffffffffff"):
        use(pool, "d")
    assert {card.id: card.revision for card in pool.cards}["d"] == "sha256:ffffffffffffffff"


def test_a_model_that_cannot_be_loaded_again_is_the_askers_trouble_alone(shop: Shop) -> None:
    def gone() -> DualEncoder:
        raise WeightsNotFoundError("not mounted")

    loads = dict(shop.loads)
    pool = ModelPool(loads, budget_bytes=100)
    pool.load_all()
    loads["b"] = gone
    with pytest.raises(WeightsNotFoundError):
        use(pool, "b")
    use(pool, "ac")


def test_one_that_can_never_fit_is_refused_at_the_start(shop: Shop) -> None:
    shop.size_bytes = 1_001
    with pytest.raises(ModelTooLargeError, match=r"'a' take 1,001 bytes, and FIXLIP_MEMORY_BYTES allows 1,000"):
        shop.pool(budget_bytes=1_000)
