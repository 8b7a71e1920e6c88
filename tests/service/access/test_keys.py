from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from pydantic import ValidationError
from redis import Redis

from service.access.keys import KeyStore, parse_key
from service.access.principal import Scope
from service.jobs._keys import text
from service.jobs.records import utc_now


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


@pytest.fixture
def keys(redis: Redis) -> KeyStore:
    return KeyStore(redis)


def test_a_key_is_found_by_its_id_and_known_by_its_secret(keys: KeyStore) -> None:
    made, shown = keys.create("acme", [Scope.READ], name="ci")

    parsed = parse_key(shown)
    assert parsed is not None
    id_, secret = parsed
    found = keys.find(id_)
    assert found == made
    assert (found.tenant, found.scopes, found.name, found.state) == ("acme", frozenset({Scope.READ}), "ci", "active")
    assert found.is_of(secret)
    assert not found.is_of(secret[:-1] + ("0" if secret[-1] != "0" else "1"))


def test_the_secret_is_random_and_kept_nowhere(keys: KeyStore, redis: Redis) -> None:
    shown = [keys.create("acme", [Scope.READ])[1] for _ in range(20)]

    secrets = [shown_key.rpartition("_")[2] for shown_key in shown]
    assert len(set(secrets)) == len(secrets)
    assert all(len(bytes.fromhex(secret)) == 32 for secret in secrets)
    stored = " ".join(text(value) for key in redis.scan_iter() for value in redis.hvals(text(key)))
    assert not any(secret in stored for secret in secrets)
    assert all(hashlib.sha256(secret.encode()).hexdigest() in stored for secret in secrets)


@pytest.mark.parametrize(
    "token", ["", "fxl_", "fxl_0123456789ab_", "fxl_0123456789ab_" + "0" * 63, "sk_0123456789ab_" + "0" * 64, "é"]
)
def test_what_cannot_be_a_key(token: str) -> None:
    assert parse_key(token) is None


@pytest.mark.parametrize("tenant", ["", "a b", "../x", "a:b", "-a", "x" * 65, "a\n"])
def test_what_cannot_be_a_tenant(keys: KeyStore, tenant: str) -> None:
    with pytest.raises(ValidationError):
        keys.create(tenant, [Scope.READ])
    assert not keys.any_exist()


def test_a_key_without_a_scope_is_not_made(keys: KeyStore) -> None:
    with pytest.raises(ValidationError):
        keys.create("acme", [])


def test_a_key_is_good_for_as_long_as_was_said(keys: KeyStore) -> None:
    key, _ = keys.create("acme", [Scope.READ], expires_in_days=1)

    assert key.expires_at is not None
    assert key.expires_at - key.created_at == pytest.approx(timedelta(days=1), abs=timedelta(seconds=1))
    assert key.state == "active"
    assert key.model_copy(update={"expires_at": utc_now()}).state == "expired"


def test_a_revoked_key_stays_revoked_and_on_the_list(keys: KeyStore) -> None:
    key, _ = keys.create("acme", [Scope.READ])

    revoked = keys.revoke(key.id)

    assert revoked is not None
    assert revoked.state == "revoked"
    assert keys.revoke(key.id) == revoked == keys.find(key.id)
    assert keys.any_exist()
    assert [listed.state for listed in keys.all()] == ["revoked"]
    assert keys.revoke("0" * 12) is None


def test_the_list_has_every_key_and_when_it_was_used(keys: KeyStore) -> None:
    b, _ = keys.create("b", [Scope.READ])
    a, _ = keys.create("a", [Scope.READ])
    later, _ = keys.create("a", [Scope.SUBMIT])
    keys.note_use(a)

    listed = keys.all()

    assert [key.id for key in listed] == [a.id, later.id, b.id]
    used, *unused = [key.last_used_at for key in listed]
    assert used is not None
    assert abs(used - utc_now()) < timedelta(seconds=10)
    assert unused == [None, None]


def test_a_use_is_noted_once_a_minute(keys: KeyStore) -> None:
    key, _ = keys.create("a", [Scope.READ])
    keys.note_use(key)
    (first,) = keys.all()
    keys.note_use(key)

    assert keys.all() == [first]
