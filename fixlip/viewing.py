"""``fixlip show`` and ``fixlip open``: an explanation in the terminal, and in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from fixlip.errors import CommandError
from fixlip.remote import PATIENT_S, ApiKey, Url, service
from fixlip.terminal.text import say

__all__ = ["viewing"]

viewing: Final = typer.Typer()


@viewing.command()
def show(
    what: Annotated[str, typer.Argument(metavar="RESULT", help="An interactions.npz or .json, or a job's id.")],
    url: Url = None,
    api_key: ApiKey = None,
    word: Annotated[
        str | None, typer.Option(metavar="TEXT|N", help="Show the pairs of this word, or of token N, with all others.")
    ] = None,
    patch: Annotated[
        str | None, typer.Option(metavar="ROW,COLUMN", help="Show the pairs of this patch, or of its region.")
    ] = None,
    top: Annotated[int, typer.Option(help="Rows of the table.", min=1)] = 10,
    players: Annotated[
        bool, typer.Option("--players/--pairs", help="Whether the table is of players or of pairs.")
    ] = False,
    image: Annotated[
        Path | None,
        typer.Option(help="The picture as the model saw it, shown beside the maps.", exists=True, dir_okay=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the values as JSON.")] = False,
) -> None:
    """Show an explanation in the terminal: one in a file, or a job's, which is waited for.

    Exit status: 0 it was shown, 1 there is none, 2 the command was not understood, 130 Ctrl-C; the job goes on.
    """
    from fixlip.showing import decoded, document_of, player_of, read_explanation
    from fixlip.terminal.portrait import Portrait, show_portrait

    if word is not None and patch is not None:
        raise CommandError("give --word or --patch, not both")
    found = read_explanation(what, lambda: service(url, api_key, retry_for_s=PATIENT_S), picture=not as_json)
    player = player_of(found.explanation, word=word, patch=patch)
    view = decoded(image.read_bytes()) if image is not None else found.image
    portrait = Portrait(explanation=found.explanation, image=view, player=player, top=top, of_players=players)
    if as_json:
        typer.echo(document_of(portrait))
        return
    show_portrait(Console(), portrait)


@viewing.command("open")
def open_page(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="A job, a batch, or two to four jobs to compare.")
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    only_print: Annotated[bool, typer.Option("--print", help="Say where it is, and open nothing.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Fetch the job's report, a page in one file, and open that.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Directory for the report.")] = Path("out"),
) -> None:
    """Open the service's page in the browser, where an explanation, a comparison or a batch is shown."""
    from fixlip.pages import browse, place_of

    with service(url, api_key) as client:
        if report:
            if ids is None or len(ids) != 1:
                raise CommandError("--report is of one job: give its id")
            place = _saved(client.report_html(ids[0]), out)
        else:
            place = place_of(client, ids or [])
    typer.echo(place)
    if not only_print and not browse(place):
        say(Console(stderr=True), "there is no browser here to open it")


def _saved(report: bytes, folder: Path) -> str:
    """The report as a file, by its URL."""
    path = folder / "report.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(report)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error
    return path.resolve().as_uri()
