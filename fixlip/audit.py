"""``fixlip audit``: the operator's key, with which workers sign audit records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fixlip.errors import CommandError

__all__ = ["app"]

app = typer.Typer(help="The key that signs audit records; `fixlip verify` checks a record.", no_args_is_help=True)


@app.callback()
def _audit() -> None:
    """Have a command of its own below this one, although it is the only one."""


@app.command()
def keygen(
    out: Annotated[
        Path, typer.Option(help="Where the private key goes; the public one goes beside it, with .pub before .pem.")
    ] = Path("fixlip-signing.pem"),
) -> None:
    """Make an Ed25519 key: a private half for workers (FIXLIP_SIGNING_KEY_FILE), a public one for everybody."""
    from fixlip_core.audit.signing import Signer

    public = out.with_name(f"{out.stem}.pub{out.suffix}")
    if public.exists():
        raise CommandError(f"{public} is there already; name another file with --out")
    signer = Signer.generate()
    signer.write(out)
    public.write_bytes(signer.public_key.pem())
    typer.echo(f"key {signer.public_key.id}")
    typer.echo(f"private half, for the workers alone: {out}", err=True)
    typer.echo(f"public half, for whoever checks: {public}", err=True)
