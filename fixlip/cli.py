"""The command ``fixlip``. Each subcommand imports what it needs when it runs, so that none waits for the others."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import ValidationError
from rich.console import Console

from fixlip import audit, batch, keys
from fixlip.errors import INTERRUPTED, CommandError
from fixlip.figures import figures
from fixlip.remote import remote
from fixlip.terminal.text import say, write_in_any_encoding
from fixlip.verifying import verifying
from fixlip.viewing import viewing
from fixlip_core.errors import FixlipError

if TYPE_CHECKING:
    from service.jobs.settings import JobSettings

__all__ = ["app", "main"]

app = typer.Typer(
    help="Explain why a vision-language encoder finds an image and a caption similar.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(remote)
app.add_typer(viewing)
app.add_typer(figures)
app.add_typer(verifying)
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(batch.app, name="batch")

_Host = Annotated[str, typer.Option(help="Address to listen on.")]
_Port = Annotated[int, typer.Option(help="Port to listen on; 0 for a free one.", min=0, max=65_535)]
_Models = Annotated[
    str | None,
    typer.Option(
        envvar="FIXLIP_MODELS",
        help="Models to serve, separated by commas: 'demo', an open_clip name with its tag ('ViT-B-32/openai'), "
        "'hf-hub:OWNER/NAME' or a directory.",
    ),
]


def main() -> None:
    """Entry point: what goes wrong in a foreseen way is one line on standard error and exit status 1."""
    write_in_any_encoding()
    try:
        app()
    except (CommandError, FixlipError) as error:
        _fail(str(error))
    except ValidationError as error:
        _fail("\n".join(f"{_variable(entry['loc'])}: {entry['msg']}" for entry in error.errors()))
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}")  # a file that cannot be read, or written


@app.command()
def up(
    data: Annotated[
        Path, typer.Option(envvar="FIXLIP_DATA_DIR", help="Directory of all jobs; a later `fixlip up` finds them.")
    ] = Path("fixlip-data"),
    host: _Host = "127.0.0.1",
    port: _Port = 8000,
    models: _Models = None,
) -> None:
    """Run everything on this machine: a private Redis, the API and one worker; one Ctrl-C stops it all."""
    from fixlip.pages import page_of
    from fixlip.reporting import program_name
    from fixlip.stack import Stack

    console = Console()
    _interrupt_on_signals()
    stack = Stack(data, host=host, port=port, environment={"FIXLIP_MODELS": models} if models else None)
    try:
        with stack:
            elsewhere = f" --url {stack.url}" if port != 8000 else ""
            say(console, f"fixlip is ready at {stack.url} (API: {stack.url}/openapi.json)")
            say(console, f'in the terminal: {program_name()} explain IMAGE "A CAPTION" --watch{elsewhere}')
            say(console, f"in the browser: {page_of(stack.url)}")
            say(console, "stop: Ctrl-C; a second one does not wait for the running job, which is kept")
            stack.wait()
    except KeyboardInterrupt:
        console.print("stopped")


@app.command()
def serve(
    host: _Host = "127.0.0.1",
    port: _Port = 8000,
    fd: Annotated[int | None, typer.Option(hidden=True, help="A listening socket to use instead.")] = None,
) -> None:
    """Run the API alone, against REDIS_URL."""
    from fixlip.memory import begin_for_good, limit_arenas

    begin_for_good()  # imports are a sixth faster so
    from fixlip.serving import serve as run_server
    from fixlip.stack import listen
    from service.settings import ServiceSettings

    limit_arenas()
    ServiceSettings()  # a wrong setting is told in a line here, and with a traceback in the server
    with socket.socket(fileno=fd) if fd is not None else listen(host, port) as listener:
        run_server(listener)


@app.command()
def worker(
    models: _Models = None,
    devices: Annotated[
        str | None,
        typer.Option(
            help="Start one worker process for each of these devices, and start it again if it fails: 'all', 'cpu', "
            "'cuda' or some GPUs ('cuda:0,cuda:1'). Without it, this process is the worker, on FIXLIP_DEVICE.",
        ),
    ] = None,
) -> None:
    """Run a worker alone, against REDIS_URL; SIGTERM lets its jobs finish within FIXLIP_GRACE_S seconds."""
    from fixlip.memory import limit_arenas
    from worker.settings import WorkerSettings

    settings = WorkerSettings(models=models) if models else WorkerSettings()
    _log(settings)
    if devices is not None:
        from fixlip.devices import parse_devices
        from fixlip.supervisor import supervise_workers

        supervise_workers(
            parse_devices(devices), models=models, grace_s=settings.grace_s, metrics_port=settings.metrics_port
        )
        return
    limit_arenas()
    try:
        from worker.main import run

        run(settings)
    except ModuleNotFoundError as error:
        raise CommandError(f"a worker needs more packages ({error.name}): pip install 'fixlip[worker]'") from error


@app.command()
def sweep() -> None:
    """Take care of the jobs of REDIS_URL: back to the queue with those whose worker died. Workers do so too."""
    from fixlip.sweeping import Sweeper
    from service.jobs.settings import JobSettings

    settings = JobSettings()
    _log(settings)
    _interrupt_on_signals()
    with contextlib.suppress(KeyboardInterrupt):
        Sweeper(settings).run()


@app.command()
def webhooks() -> None:
    """Tell receivers of the jobs of REDIS_URL that have ended; SIGTERM lets what is on its way arrive."""
    from fixlip.delivering import WebhookProcess
    from service.webhooks.settings import WebhookSettings

    settings = WebhookSettings()
    _log(settings)
    _interrupt_on_signals()
    with contextlib.suppress(KeyboardInterrupt):
        WebhookProcess(settings).run()


@app.command()
def check(
    part: Annotated[Literal["worker", "sweeper", "webhooks"], typer.Argument(help="Which process of this host.")],
    needs_redis: Annotated[
        bool,
        typer.Option(
            help="Whether it counts as bad that Redis does not answer, so that nothing is known. It should not where "
            "a restart follows, which makes no Redis answer.",
        ),
    ] = True,
) -> None:
    """Tell by the exit status whether this host's process of a kind lives: a health check for containers."""
    from fixlip.checking import check as look
    from service.jobs.settings import JobSettings

    typer.echo(look(part, JobSettings(), needs_redis=needs_redis))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Directory for the scene, the tensor and the maps.")] = Path("out"),
    data: Annotated[Path | None, typer.Option(help="Directory of the jobs; by default one that is removed.")] = None,
    seed: Annotated[int, typer.Option(help="Names the scene.", min=0)] = 8,
    budget: Annotated[int, typer.Option(help="Forward passes of the image tower.", min=8)] = 512,
) -> None:
    """Explain a drawn scene with the built-in encoder, from submission to maps, in a stack of its own."""
    from fixlip.demo import run_demo

    _interrupt_on_signals()
    run_demo(Console(), data=data, out=out, seed=seed, budget=budget)


@app.command()
def benchmark(
    data: Annotated[str, typer.Option(help="Pairs to explain: 'demo' (drawn scenes), 'coco:DIR' or 'mosaics:DIR'.")] = (
        "demo"
    ),
    scenes: Annotated[int, typer.Option(help="How many pairs; of fewer, all.", min=1)] = 500,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Methods, separated by commas, with parameters as in 'fixlip:p=0.7+order=1,exclip:steps=20'. Without "
            "it, every method, and FIxLIP also by Shapley interactions and Shapley values.",
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="The model, by the names of `fixlip worker --models`.")] = "demo",
    device: Annotated[str, typer.Option(help="Where it runs: 'cpu', 'cuda' or 'cuda:N'.")] = "cpu",
    precision: Annotated[str, typer.Option(help="Of its numbers: 'fp32', 'bf16' or, on a GPU, 'fp16'.")] = "fp32",
    out: Annotated[Path, typer.Option(help="Directory for results, report and figures.")] = Path("out/benchmark"),
    seed: Annotated[int, typer.Option(help="Draws pairs and coalitions: same seed, same figures.", min=0)] = 0,
    budget: Annotated[int, typer.Option(help="Forward passes of the image tower for FIxLIP.", min=8)] = 512,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in the directory.")] = False,
) -> None:
    """Compare the methods on many pairs, in this process: pointing game, curves, faithfulness, confidence."""
    from fixlip.benchmark import BenchmarkOptions
    from fixlip.benchmark import benchmark as compare_methods

    _interrupt_on_signals()
    options = BenchmarkOptions(
        data=data,
        scenes=scenes,
        methods=methods,
        model=model,
        device=device,
        precision=precision,
        out=out,
        seed=seed,
        budget=budget,
        resume=resume,
    )
    if not compare_methods(Console(), options):
        raise typer.Exit(INTERRUPTED)


def _interrupt_on_signals() -> None:
    """Have a closed terminal or a supervisor's request do what Ctrl-C does.

    Ctrl-C is among them: Python leaves it alone where it was ignored from the start, as in a script's background.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _log(settings: JobSettings) -> None:
    """Log to standard error from now on, as the settings say."""
    from service.observability.logs import configure_logging

    configure_logging(settings.log_level, settings.log_format)


def _variable(location: tuple[int | str, ...]) -> str:
    """Environment variable of a setting."""
    name = str(location[0]) if location else "settings"
    return name if name.isupper() else f"FIXLIP_{name.upper()}"


def _fail(message: str) -> None:
    say(Console(stderr=True), f"fixlip: {message}", style="red")
    sys.exit(1)
