from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from redis import Redis, RedisError

from service.access._memory import Memory
from service.access.gate import AuthMode, Gate, require_scope
from service.access.keys import KeyStore
from service.access.principal import ANYONE, Principal, Scope
from service.jobs.connection import connect
from service.problems import ProblemError


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


@pytest.fixture
def keys(redis: Redis) -> KeyStore:
    return KeyStore(redis)


@pytest.fixture
def events() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as events:
        yield events


def admit(gate: Gate, token: str | None = None, *, is_local: bool = False) -> Principal:
    return asyncio.run(gate.admit(token, is_local=is_local))


def refused(gate: Gate, token: str | None = None, *, is_local: bool = False) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        admit(gate, token, is_local=is_local)
    return caught.value


def test_a_key_says_who_asks(keys: KeyStore) -> None:
    key, shown = keys.create("acme", [Scope.READ, Scope.ADMIN])

    for mode in ("auto", "keys"):
        who = admit(Gate(mode, keys), shown)
        assert who == Principal("acme", frozenset({Scope.READ, Scope.ADMIN}), key.id)


@pytest.mark.parametrize("mode", ["auto", "keys"])
@pytest.mark.parametrize("is_local", [True, False])
def test_once_there_are_keys_everybody_needs_one(keys: KeyStore, mode: AuthMode, is_local: bool) -> None:
    keys.create("acme", [Scope.READ])

    error = refused(Gate(mode, keys), is_local=is_local)

    assert (error.status, error.code, error.headers) == (401, "unauthenticated", {"WWW-Authenticate": "Bearer"})
    assert [entry.field for entry in error.errors] == ["Authorization"]


def test_without_keys_this_machine_alone_is_let_in(keys: KeyStore) -> None:
    gate = Gate("auto", keys)

    assert admit(gate, is_local=True) == ANYONE
    error = refused(gate, is_local=False)
    assert (error.status, error.code) == (403, "keys_required")


def test_keys_can_be_required_before_there_are_any(keys: KeyStore) -> None:
    assert refused(Gate("keys", keys), is_local=True).code == "unauthenticated"


def test_the_operator_can_let_everybody_in(keys: KeyStore) -> None:
    keys.create("acme", [Scope.READ])
    gate = Gate("none", keys)

    assert admit(gate) == admit(gate, "nonsense") == ANYONE


def test_the_last_key_does_not_open_the_door_when_it_is_revoked(keys: KeyStore) -> None:
    key, _ = keys.create("acme", [Scope.READ])
    keys.revoke(key.id)

    assert refused(Gate("auto", keys), is_local=True).code == "unauthenticated"


@pytest.mark.parametrize("token", ["", "nonsense", "fxl_0123456789ab_" + "0" * 64])
@pytest.mark.parametrize("is_local", [True, False])
def test_a_wrong_key_is_never_let_in(keys: KeyStore, token: str, is_local: bool) -> None:
    error = refused(Gate("auto", keys), token, is_local=is_local)

    assert (error.status, error.code) == (401, "unauthenticated")
    assert error.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}


def test_a_wrong_secret_is_refused_even_right_after_the_right_one(keys: KeyStore) -> None:
    key, shown = keys.create("acme", [Scope.READ])
    gate = Gate("auto", keys)
    admit(gate, shown)

    assert refused(gate, f"fxl_{key.id}_{'0' * 64}").code == "unauthenticated"
    assert admit(gate, shown).key_id == key.id


def test_an_expired_and_a_revoked_key_say_so(keys: KeyStore, redis: Redis) -> None:
    expired, shown_expired = keys.create("acme", [Scope.READ], expires_in_days=0)
    revoked, shown_revoked = keys.create("acme", [Scope.READ])
    keys.revoke(revoked.id)
    gate = Gate("auto", keys)

    assert f"{expired.id} is expired" in str(refused(gate, shown_expired))
    assert f"{revoked.id} is revoked" in str(refused(gate, shown_revoked))
    assert [key.last_used_at for key in keys.all()] == [None, None]


def test_a_revoked_key_is_refused_within_seconds(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.access.gate.Memory", lambda: Memory(lasts_s=0.2))
    key, shown = keys.create("acme", [Scope.READ])
    gate = Gate("auto", keys)
    admit(gate, shown)
    keys.revoke(key.id)

    async def until_refused() -> float:
        started_s = asyncio.get_running_loop().time()
        try:
            while True:
                await gate.admit(shown, is_local=False)
        except ProblemError:
            return asyncio.get_running_loop().time() - started_s

    assert asyncio.run(until_refused()) < 1


def test_a_key_that_was_just_seen_costs_redis_nothing(keys: KeyStore, redis: Redis) -> None:
    _, shown = keys.create("acme", [Scope.READ])
    gate = Gate("auto", keys)
    admit(gate, shown)
    before = redis.info("stats")["total_commands_processed"]
    for _ in range(50):
        admit(gate, shown)

    assert redis.info("stats")["total_commands_processed"] - before == 1  # the question itself


@pytest.mark.parametrize("token", [None, "fxl_0123456789ab_" + "0" * 64])
def test_nobody_is_let_in_while_redis_is_away(token: str | None) -> None:
    away = KeyStore(connect("unix:///nowhere.sock", timeout_s=1))

    with pytest.raises(RedisError):
        admit(Gate("auto", away), token, is_local=True)


def test_a_use_is_noted(keys: KeyStore) -> None:
    _, shown = keys.create("acme", [Scope.READ])
    admit(Gate("auto", keys), shown)

    assert [key.last_used_at is not None for key in keys.all()] == [True]


def test_a_key_is_good_while_redis_takes_no_writes(keys: KeyStore, redis: Redis) -> None:
    key, shown = keys.create("acme", [Scope.READ])
    redis.config_set("min-replicas-to-write", 1)
    try:
        assert admit(Gate("auto", keys), shown).key_id == key.id
    finally:
        redis.config_set("min-replicas-to-write", 0)


def test_a_scope_that_the_key_has_not_is_named() -> None:
    who = Principal("acme", frozenset({Scope.READ}))
    require_scope(who, Scope.READ)

    with pytest.raises(ProblemError) as caught:
        require_scope(who, Scope.SUBMIT)

    error = caught.value
    assert (error.status, error.code) == (403, "missing_scope")
    assert error.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="submit"'
    assert "`submit`" in error.detail


def test_it_says_who_will_be_let_in(keys: KeyStore, events: list[Any]) -> None:
    for mode in ("auto", "keys", "none"):
        Gate(mode, keys).announce()
    keys.create("acme", [Scope.READ])
    Gate("auto", keys).announce()
    Gate("auto", KeyStore(connect("unix:///nowhere.sock", timeout_s=1))).announce()

    assert [(event["event"], event["log_level"]) for event in events] == [
        ("access_loopback_only", "warning"),
        ("access_by_key", "info"),
        ("access_open", "warning"),
        ("access_by_key", "info"),
        ("access_unknown", "warning"),
    ]
