"""``fixlip verify``: is an audit record what it was, and does the same computation give the same values again?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from fixlip.errors import CommandError
from fixlip.terminal.text import plain, say
from fixlip_core.errors import FixlipError

if TYPE_CHECKING:
    from fixlip_core.audit.checks import Verification

__all__ = ["verifying"]

_CANNOT_BE_CHECKED: Final = 2
_STATUS: Final = {"agrees": 0, "disagrees": 1, "cannot be checked": _CANNOT_BE_CHECKED}
_STYLES: Final = {"agrees": "green", "disagrees": "red", "cannot be checked": "yellow", "not checked": "dim"}

verifying: Final = typer.Typer()


@verifying.command()
def verify(
    record: Annotated[Path, typer.Argument(help="A job's audit.json.", exists=True, dir_okay=False, readable=True)],
    image: Annotated[
        Path | None, typer.Option(help="The image: the file that was sent, or any of the same picture.")
    ] = None,
    result: Annotated[
        Path | None,
        typer.Option(help="The job's interactions.npz or .json; by default an interactions.npz beside the record."),
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="PEM file of the key that must have signed the record.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="What to load for the recorded model: a path, or an open_clip name; see `fixlip worker`."),
    ] = None,
    models_file: Annotated[
        Path | None, typer.Option(envvar="FIXLIP_MODELS_FILE", help="The operator's models, where the model is one.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="'cpu', 'cuda' or 'cuda:1'; by default the recorded one if it is here.")
    ] = None,
    recompute: Annotated[bool, typer.Option(help="Whether to compute the values and the scores again.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Check an audit record. Exit status: 0 all agrees, 1 something does not, 2 something cannot be checked."""
    from fixlip.auditing import Place, verification

    place = Place(model=model, models_file=models_file, device=device) if recompute else None
    try:
        found = verification(record, image=image, result=result, public_key=public_key, place=place)
    except (CommandError, FixlipError) as error:
        say(Console(stderr=True), f"fixlip: {error}", style="red")
        raise typer.Exit(_CANNOT_BE_CHECKED) from error
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        _show(Console(), found)
    raise typer.Exit(_STATUS[found.verdict])


def _show(console: Console, found: Verification) -> None:
    """Print what was found, and in what this machine differs."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for check in found.checks:
        table.add_row(check.name, f"[{_STYLES[check.verdict]}]{check.verdict}[/]", plain(check.detail))
    console.print(table)
    if found.differences:
        differences = Table("here it differs in", "recorded", "here", box=None, pad_edge=False)
        for one in found.differences:
            differences.add_row(plain(one.what), plain(one.recorded or "-"), plain(one.here or "-"))
        console.print(differences)
