"""``fixlip keys``: real processes against a real Redis."""

from __future__ import annotations

import re

import pytest
from redis import Redis
from typer.testing import CliRunner

from fixlip.cli import app
from fixlip.errors import CommandError
from service.access.allowances import Allowance, AllowanceBook
from service.access.keys import KeyStore, parse_key
from service.access.principal import Scope
from tests.support.processes import fixlip


@pytest.fixture
def keys(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> KeyStore:
    """The keys of the Redis that the command works on."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("COLUMNS", "200")
    return KeyStore(Redis.from_url(redis_url))


def run(*arguments: str) -> str:
    """What the command prints, what it says beside that left out."""
    result = CliRunner().invoke(app, ["keys", *arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_a_key_is_made_shown_once_listed_and_revoked(keys: KeyStore, redis_url: str) -> None:
    made = fixlip(
        "keys",
        "create",
        "--tenant",
        "acme",
        "--scope",
        "read",
        "--name",
        "nightly",
        "--expires",
        "7",
        REDIS_URL=redis_url,
    )
    assert made.returncode == 0, made.stderr
    parsed = parse_key(made.stdout.strip())
    assert parsed is not None
    id_, secret = parsed
    key = keys.find(id_)
    assert key is not None
    assert (key.tenant, key.scopes, key.name, key.is_of(secret)) == ("acme", frozenset({Scope.READ}), "nightly", True)
    assert key.expires_at is not None
    assert secret not in made.stderr

    listed = run("list")
    assert all(word in listed for word in (id_, "acme", "read", "nightly", "active"))
    assert secret not in listed
    assert key.digest not in listed

    assert "revoked" in run("revoke", id_)
    assert "revoked" in run("list")


def test_a_key_may_submit_and_read_unless_something_else_is_said(keys: KeyStore) -> None:
    run("create", "--tenant", "acme")

    (key,) = keys.all()
    assert key.scopes == {Scope.SUBMIT, Scope.READ}
    assert key.expires_at is None


def test_a_name_is_listed_as_it_is(keys: KeyStore) -> None:
    for name in ("[/x]", "[red]", ":key:"):
        run("create", "--tenant", "acme", "--name", name)

    listed = run("list")
    assert all(name in listed for name in ("[/x]", "[red]", ":key:"))


def test_a_key_that_would_outlast_the_calendar_is_refused(keys: KeyStore) -> None:
    with pytest.raises(SystemExit):
        run("create", "--tenant", "acme", "--expires", "9999999")
    assert not keys.any_exist()


def test_quotas_are_set_shown_and_taken_back(keys: KeyStore, redis_url: str) -> None:
    book = AllowanceBook(Redis.from_url(redis_url), "fixlip", defaults=Allowance())
    run("quota", "acme", "--queued-jobs", "5", "--requests-per-min", "0")
    shown = run("quota", "acme", "--stored-bytes", "1000000")

    assert shown.splitlines() == [
        "requests_per_min: no limit",
        "queued_jobs: 5",
        "passes_per_day: the service's default",
        "stored_bytes: 1,000,000",
    ]
    assert run("quota", "acme") == shown
    assert book.said_of("acme") == Allowance(requests_per_min=0, queued_jobs=5, stored_bytes=1_000_000)
    run("quota", "acme", "--reset", "--queued-jobs", "7")
    assert book.said_of("acme") == Allowance(queued_jobs=7)
    run("quota", "acme", "--reset")
    assert book.said_of("acme") == Allowance()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--tenant", "a b"], "'a b' cannot be a tenant's name"),
        (["quota", "a/b", "--queued-jobs", "1"], "'a/b' cannot be a tenant's name"),
        (["quota", "a/b", "--reset"], "'a/b' cannot be a tenant's name"),
        (["create", "--tenant", "acme", "--scope", "write"], "'write' is no scope; scopes: submit, read, admin"),
        (["create", "--tenant", "acme", "--name", "x" * 101], "a key's name has up to 100 characters"),
        (["revoke", "0123"], "no key has the id '0123'"),
    ],
)
def test_what_cannot_be_done_is_told(keys: KeyStore, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=re.escape(message)):
        run(*arguments)
    assert not keys.any_exist()


def test_a_redis_that_is_away_is_told_in_a_line() -> None:
    done = fixlip("keys", "list", REDIS_URL="unix:///nowhere.sock")

    assert done.returncode == 1
    assert done.stderr.startswith("fixlip: Redis does not answer")
    assert "Traceback" not in done.stderr
