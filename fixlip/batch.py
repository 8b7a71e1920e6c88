"""The commands that ask a running service for many explanations at once."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from fixlip.remote import PATIENT_S, ApiKey, Url, service
from fixlip.terminal.text import say

__all__ = ["app"]

app: Final = typer.Typer(help="Explain many pairs of an image and a caption as one batch.", no_args_is_help=True)

_Id = Annotated[str, typer.Argument(help="A batch's id.")]
_Out = Annotated[Path, typer.Option(help="Directory for the results and tables.")]
_OUT: Final = Path("out/batch")


@app.command()
def submit(
    manifest: Annotated[
        Path,
        typer.Argument(
            help="What to explain: a .csv with the columns image and caption, .jsonl or .json.",
            exists=True,
            dir_okay=False,
        ),
    ],
    images: Annotated[
        Path | None, typer.Option(help="The folder, or a zip, with the files that the manifest names.", exists=True)
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    model: Annotated[list[str] | None, typer.Option(help="A model that explains every pair; more than once.")] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Methods that explain every pair, separated by commas, with parameters as in "
            "'fixlip:p=0.7+budget=256,grad_eclip'."
        ),
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="A seed of the methods that have one; more than once.")] = None,
    evaluate: Annotated[
        str | None, typer.Option(help="Metrics that judge each explanation, separated by commas; see `fixlip metrics`.")
    ] = None,
    maps: Annotated[bool, typer.Option("--maps", help="Draw maps of every explanation.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait for the end, and fetch the results.")] = True,
    out: _Out = _OUT,
) -> None:
    """Submit a batch, and wait for it with a bar; Ctrl-C leaves it running."""
    from fixlip.batch_reporting import follow_batch
    from fixlip.pages import page_of_batch

    console = Console()
    with service(url, api_key, retry_for_s=PATIENT_S) as client:
        batch = client.batches.submit(
            manifest=manifest,
            images=images if images is not None else manifest.parent,
            models=model,
            methods=_methods(methods),
            seeds=seed,
            evaluate=_words(evaluate),
            maps=maps,
        )
        say(console, f"batch {batch.id}: {batch.request_counts.total} explanations")
        say(console, f"in the browser: {page_of_batch(client.url, batch.id)}")
        if wait:
            follow_batch(console, client, batch, out)


@app.command("list")
def list_batches(
    url: Url = None,
    api_key: ApiKey = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
) -> None:
    """List the batches of a running service, the newest first."""
    from fixlip.batch_reporting import show_batches

    with service(url, api_key) as client:
        show_batches(Console(), islice(client.batches.newest(page_size=min(limit, 100)), limit))


@app.command()
def wait(batch: _Id, url: Url = None, api_key: ApiKey = None, out: _Out = _OUT) -> None:
    """Wait for a batch with a bar, and fetch its results."""
    from fixlip.batch_reporting import follow_batch

    with service(url, api_key, retry_for_s=PATIENT_S) as client:
        follow_batch(Console(), client, client.batches.get(batch), out)


@app.command()
def results(batch: _Id, url: Url = None, api_key: ApiKey = None, out: _Out = _OUT) -> None:
    """Fetch the results of a batch: of one that runs, those that there are."""
    from fixlip.batch_reporting import fetch_results

    with service(url, api_key, retry_for_s=PATIENT_S) as client:
        fetch_results(Console(), client, client.batches.get(batch), out)


@app.command()
def cancel(batch: _Id, url: Url = None, api_key: ApiKey = None) -> None:
    """Stop a batch of a running service; what has ended by then stays."""
    with service(url, api_key) as client:
        counts = client.batches.cancel(batch).request_counts
    typer.echo(f"of batch {batch}, {counts.canceled} items are canceled, and {counts.running} will be stopped")


@app.command()
def retry(batch: _Id, url: Url = None, api_key: ApiKey = None) -> None:
    """Ask again for all of an ended batch that has no result."""
    with service(url, api_key) as client:
        counts = client.batches.retry(batch).request_counts
    typer.echo(f"of batch {batch}, {counts.total - counts.completed} of {counts.total} items are tried again")


@app.command()
def delete(batch: _Id, url: Url = None, api_key: ApiKey = None) -> None:
    """Remove a batch that has ended, with its jobs and their results."""
    with service(url, api_key) as client:
        client.batches.delete(batch)
    typer.echo(f"the batch {batch} is removed")


def _words(text: str | None) -> list[str] | None:
    return [word.strip() for word in text.split(",")] if text else None


def _methods(text: str | None) -> list[dict[str, Any]] | None:
    """The methods that are named with their parameters.

    Raises:
        FixlipError: there is no such method, or it has no such parameter.
    """
    if text is None:
        return None
    from fixlip_core.benchmarking.variants import parse_variants

    return [{"method": variant.method, "params": dict(variant.given)} for variant in parse_variants(text.split(","))]
