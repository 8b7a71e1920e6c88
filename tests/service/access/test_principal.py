from __future__ import annotations

from service.access.principal import ANYONE, Scope


def test_without_keys_anyone_may_do_anything() -> None:
    assert ANYONE.scopes == frozenset(Scope)
    assert ANYONE.key_id is None
