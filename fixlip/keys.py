"""``fixlip keys``: the API keys and quotas of tenants, kept in REDIS_URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from fixlip.errors import CommandError

if TYPE_CHECKING:
    from redis import Redis

    from service.access.keys import ApiKey

__all__ = ["app"]

REDIS_TIMEOUT_S: Final = 5.0
MAX_EXPIRES_DAYS: Final = 36_500

app = typer.Typer(
    help="API keys and quotas of tenants, in REDIS_URL. Changes hold within seconds.", no_args_is_help=True
)

_Tenant = Annotated[str, typer.Argument(help="Whose quotas.")]


@app.command()
def create(
    tenant: Annotated[str, typer.Option(help="Whose jobs it submits and sees; others do not exist for it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="'submit', 'read' or 'admin'; may be given several times. By default submit and read."),
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for, so that you recognise it in the list.")] = "",
    expires: Annotated[
        int | None, typer.Option(metavar="DAYS", help="Days for which it is good.", min=1, max=MAX_EXPIRES_DAYS)
    ] = None,
) -> None:
    """Make a key and print it: once, since it is not kept."""
    from service.access.keys import MAX_NAME_LENGTH, KeyStore
    from service.access.principal import Scope

    if len(name) > MAX_NAME_LENGTH:
        raise CommandError(f"a key's name has up to {MAX_NAME_LENGTH} characters, not {len(name)}")
    scopes = scope or [Scope.SUBMIT, Scope.READ]
    if unknown := set(scopes) - set(Scope):
        raise CommandError(f"{min(unknown)!r} is no scope; scopes: {', '.join(Scope)}")
    with _redis() as (redis, prefix):
        key, shown = KeyStore(redis, prefix).create(
            _checked(tenant), list(map(Scope, scopes)), name=name, expires_in_days=expires
        )
    typer.echo(shown)
    may = ", ".join(sorted(key.scopes))
    typer.echo(f"key {key.id} of tenant {key.tenant} may {may}; it is not shown again", err=True)


@app.command("list")
def list_keys() -> None:
    """List the keys, without their secrets."""
    from service.access.keys import KeyStore

    with _redis() as (redis, prefix):
        keys = KeyStore(redis, prefix).all()
    table = Table("id", "tenant", "scopes", "name", "state", "created", "expires", "last used")
    for key in keys:
        table.add_row(*_cells(key))
    Console(markup=False, emoji=False).print(table)  # a key's name is shown as it is, brackets and all


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as in the list.")]) -> None:
    """Have a key refused, for ever."""
    from service.access.keys import KeyStore

    with _redis() as (redis, prefix):
        key = KeyStore(redis, prefix).revoke(key_id)
    if key is None:
        raise CommandError(f"no key has the id {key_id!r}; `fixlip keys list` shows them")
    typer.echo(f"key {key.id} of tenant {key.tenant} is revoked")


@app.command()
def quota(
    tenant: _Tenant,
    requests_per_min: Annotated[int | None, typer.Option(help="Requests within a minute; 0: no limit.", min=0)] = None,
    queued_jobs: Annotated[int | None, typer.Option(help="Jobs that wait at once; 0: no limit.", min=0)] = None,
    passes_per_day: Annotated[
        int | None, typer.Option(help="Forward passes of the jobs of a day; 0: no limit.", min=0)
    ] = None,
    stored_bytes: Annotated[int | None, typer.Option(help="Bytes that are kept; 0: no limit.", min=0)] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Give the tenant the service's defaults first.")] = False,
) -> None:
    """Set quotas of one tenant; what is not given stays. Show them."""
    from service.access.allowances import Allowance, AllowanceBook

    tenant = _checked(tenant)
    changes = Allowance(
        requests_per_min=requests_per_min,
        queued_jobs=queued_jobs,
        passes_per_day=passes_per_day,
        stored_bytes=stored_bytes,
    )
    with _redis() as (redis, prefix):
        book = AllowanceBook(redis, prefix, defaults=Allowance())
        said = changes.or_else(Allowance() if reset else book.said_of(tenant))
        if reset or changes != Allowance():
            book.say(tenant, said)
    for quota_name, limit in said.model_dump().items():
        shown = "the service's default" if limit is None else "no limit" if limit == 0 else f"{limit:,}"
        typer.echo(f"{quota_name}: {shown}")


def _checked(tenant: str) -> str:
    """The tenant's name.

    Raises:
        CommandError: it cannot be one.
    """
    from pydantic import TypeAdapter, ValidationError

    from service.access.principal import TenantName

    try:
        return TypeAdapter[str](TenantName).validate_python(tenant)
    except ValidationError as error:
        rule = "up to 64 letters, digits, dots, hyphens and underscores, the first a letter or digit"
        raise CommandError(f"{tenant!r} cannot be a tenant's name: {rule}") from error


@contextmanager
def _redis() -> Iterator[tuple[Redis, str]]:
    """The Redis of the settings, and the prefix of its keys.

    Raises:
        CommandError: it does not answer.
    """
    from redis import RedisError

    from service.jobs.connection import connect
    from service.jobs.settings import JobSettings

    settings = JobSettings()
    try:
        with connect(settings.redis_url, timeout_s=REDIS_TIMEOUT_S) as redis:
            yield redis, settings.key_prefix
    except RedisError as error:
        raise CommandError(f"Redis does not answer: {error}") from error


def _cells(key: ApiKey) -> list[str]:
    scopes = " ".join(sorted(key.scopes))
    instants = map(_instant, (key.created_at, key.expires_at, key.last_used_at))
    return [key.id, key.tenant, scopes, key.name, key.state, *instants]


def _instant(instant: datetime | None) -> str:
    return instant.strftime("%Y-%m-%d %H:%M") if instant is not None else "-"
