"""The commands that ask a running service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from rich.console import Console

from fixlip.errors import CommandError
from fixlip.terminal.text import say

if TYPE_CHECKING:
    from fixlip.client import Client, Job

__all__ = ["PATIENT_S", "ApiKey", "Url", "remote", "service"]

HURRIED_S: Final = 2.0  # a person who waits for a first answer would rather be told
PATIENT_S: Final = 60.0

remote: Final = typer.Typer()

Url = Annotated[
    str | None,
    typer.Option(envvar="FIXLIP_URL", help="Where the service answers; by default this machine's port 8000."),
]
ApiKey = Annotated[
    str | None,
    typer.Option(envvar="FIXLIP_API_KEY", help="Key of a tenant; best given by the environment, which `ps` hides."),
]
_Id = Annotated[str, typer.Argument(help="A job's id.")]


@remote.command()
def explain(
    image: Annotated[Path, typer.Argument(help="A picture.", exists=True, dir_okay=False, readable=True)],
    caption: Annotated[str, typer.Argument(help="What is said about it.")],
    url: Url = None,
    api_key: ApiKey = None,
    model: Annotated[str | None, typer.Option(help="A model that the service has; by default its own choice.")] = None,
    method: Annotated[
        str | None, typer.Option(help="How to explain; see `fixlip methods`. By default, fixlip.")
    ] = None,
    p: Annotated[float | None, typer.Option(help="Probability with which each player is present.")] = None,
    order: Annotated[int | None, typer.Option(help="1 for players alone, 2 for pairs as well.")] = None,
    budget: Annotated[str | None, typer.Option(help="Forward passes of the image tower, or 'auto'.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same explanation.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Any parameter of the method, in JSON; @FILE reads it from a file."),
    ] = None,
    evaluate: Annotated[
        str | None,
        typer.Option(help="Metrics that judge the explanation, separated by commas; see `fixlip metrics`."),
    ] = None,
    cache: Annotated[
        Literal["use", "bypass"] | None, typer.Option(help="bypass: do the work although its result may be known.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show words and patches in the colours of their values.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Directory for the tensor and the maps.")] = Path("out"),
) -> None:
    """Explain an image and a caption by a running service. Ctrl-C leaves the job running, and says how to come back."""
    from fixlip.parameters import parse_parameters
    from fixlip.reporting import goes_on, show_progress

    console = Console()
    given = {"p": p, "order": order, "budget": budget, "seed": seed}
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    params = parse_parameters([*options, *(param or ())])
    judges = [name.strip() for name in evaluate.split(",")] if evaluate else None
    with service(url, api_key) as client:
        job = client.submit(
            image=image, caption=caption, model=model, method=method, params=params, evaluate=judges, cache=cache
        )
    with service(url, api_key, retry_for_s=PATIENT_S) as client:
        with goes_on(console, job, url=client.url):
            job = show_progress(console, job, client.follow(job))
        client.download(job, out)
        _show_result(console, client, job, out=out, in_full=watch)


@remote.command()
def compare(
    what: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE CAPTION", help="A picture and what is said about it; with --jobs, jobs' ids."),
    ],
    jobs: Annotated[
        bool, typer.Option("--jobs", help="Compare jobs that have succeeded: two to eight ids instead of a pair.")
    ] = False,
    url: Url = None,
    api_key: ApiKey = None,
    models: Annotated[str | None, typer.Option(help="Models of the service, separated by commas.")] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Methods, separated by commas, with parameters as in 'fixlip:p=0.3,fixlip:p=0.7,exclip'."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Directory for the figure and the table.")] = Path("out/comparison"),
) -> None:
    """Compare explanations of one pair by several models or methods: each model with each method."""
    from fixlip.comparing import follow_jobs, show_comparison, ways_of, write_comparison
    from fixlip.pages import MOST_COMPARED, page_of_jobs

    if not jobs and (len(what) != 2 or not Path(what[0]).is_file()):
        raise CommandError('give a picture and a caption, as in `fixlip compare photo.jpg "a dog"`, or --jobs and ids')
    console = Console()
    ids = what
    with service(url, api_key, retry_for_s=PATIENT_S) as client:
        if not jobs:
            image, caption = Path(what[0]), what[1]
            submitted = [
                client.submit(image=image, caption=caption, model=way.model, method=way.method, params=way.params)
                for way in ways_of(models, methods)
            ]
            follow_jobs(console, client, submitted)
            ids = [job.id for job in submitted]
        comparison = client.compare(ids)
        figures = {"png": client.comparison_figure(ids), "svg": client.comparison_figure(ids, kind="svg")}
        page = page_of_jobs(client.url, ids)
    write_comparison(out, comparison, figures)
    show_comparison(console, comparison)
    say(console, f"the figure and the table are in {out}")
    if len(ids) <= MOST_COMPARED:
        say(console, f"in the browser: {page}")


@remote.command()
def jobs(
    url: Url = None,
    api_key: ApiKey = None,
    status: Annotated[
        str | None, typer.Option(help="Only these: queued, running, succeeded, failed, canceled or expired.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only those of this model.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
) -> None:
    """List the jobs of a running service, the newest first."""
    from fixlip.catalogue import show_jobs

    with service(url, api_key) as client:
        show_jobs(Console(), islice(client.jobs(status=status, model=model, page_size=min(limit, 100)), limit))


@remote.command()
def cancel(job: _Id, url: Url = None, api_key: ApiKey = None) -> None:
    """Stop a job of a running service."""
    with service(url, api_key) as client:
        client.cancel(job)
        typer.echo(f"the job {job} is {client.get(job).status}, and will be stopped if it is not yet")


@remote.command()
def delete(job: _Id, url: Url = None, api_key: ApiKey = None) -> None:
    """Remove a job that has ended from a running service, its image and its results."""
    with service(url, api_key) as client:
        client.delete(job)
    typer.echo(f"the job {job} is removed")


@remote.command()
def models(url: Url = None, api_key: ApiKey = None) -> None:
    """List the models of a running service."""
    from fixlip.catalogue import show_models

    with service(url, api_key) as client:
        show_models(Console(), client.models())


@remote.command()
def methods(
    name: Annotated[str | None, typer.Argument(help="A method, to see its parameters.")] = None,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List the methods of a running service, or the parameters of one."""
    from fixlip.catalogue import show_method, show_methods

    with service(url, api_key) as client:
        if name is None:
            show_methods(Console(), client.methods())
        else:
            show_method(Console(), client.method(name))


@remote.command()
def metrics(url: Url = None, api_key: ApiKey = None) -> None:
    """List the metrics by which a running service judges explanations."""
    from fixlip.catalogue import show_metrics

    with service(url, api_key) as client:
        show_metrics(Console(), client.metrics())


@contextmanager
def service(url: str | None, api_key: str | None, *, retry_for_s: float = HURRIED_S) -> Iterator[Client]:
    """A client of a running service.

    Raises:
        CommandError: there is none.
    """
    from fixlip.client import Client, UnreachableError

    try:
        with Client(url, api_key=api_key, retry_for_s=retry_for_s) as client:
            yield client
    except UnreachableError as error:
        raise CommandError(f"{error}; start one with `fixlip up`, or name another with --url") from error


def _show_result(console: Console, client: Client, job: Job, *, out: Path, in_full: bool) -> None:
    """Print what a job has found, whose files are in ``out``, and where there is more."""
    from fixlip.pages import page_of_jobs
    from fixlip.reporting import show_explanation, show_scores
    from fixlip.showing import decoded
    from fixlip.terminal.portrait import Portrait, show_portrait
    from fixlip_core.explanation import Explanation

    explanation = Explanation.load(out / "interactions.npz")
    if in_full:
        console.print()
        show_portrait(console, Portrait(explanation=explanation, image=decoded(client.view(job))))
    else:
        show_explanation(console, explanation)
    if job.output and job.output.evaluation:
        console.print()
        show_scores(console, job.output.evaluation)
    console.print()
    say(console, f"the tensor and the maps are in {out}")
    say(console, f"in the browser: {page_of_jobs(client.url, [job.id])}")
