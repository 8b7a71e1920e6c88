from __future__ import annotations

import time

from service.access._memory import Memory


def test_a_value_is_remembered_for_a_while() -> None:
    memory: Memory[int] = Memory(lasts_s=0.2)
    memory.keep("a", 1)

    assert (memory.recall("a"), memory.recall("b")) == (1, None)
    time.sleep(0.25)
    assert memory.recall("a") is None


def test_a_value_is_replaced() -> None:
    memory: Memory[int] = Memory()
    memory.keep("a", 1)
    memory.keep("a", 2)

    assert memory.recall("a") == 2


def test_it_does_not_grow_for_ever() -> None:
    memory: Memory[int] = Memory()
    for number in range(20_000):
        memory.keep(str(number), number)

    assert memory.recall("19999") == 19_999
    assert sum(memory.recall(str(number)) is not None for number in range(20_000)) <= 4096
