"""What the terminal shows of a service's models, methods and jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from fixlip.client import Job, Method, Metric, Model
from fixlip.terminal.text import plain, say

__all__ = ["show_jobs", "show_method", "show_methods", "show_metrics", "show_models"]


def show_models(console: Console, models: Sequence[Model]) -> None:
    """Print the models that a service has."""
    table = _table("model", "patches", "tokens", "runs on", "workers", "methods")
    for model in models:
        rows, columns = model.grid
        table.add_row(
            plain(model.id),
            f"{rows} x {columns}",
            f"{model.max_tokens}",
            plain(f"{model.device} {model.precision}"),
            f"{model.workers}",
            "all" if model.attention else plain(", ".join(model.methods)),
        )
    console.print(table if models else "no worker has announced a model yet")


def show_methods(console: Console, methods: Sequence[Method]) -> None:
    """Print the methods that a service has."""
    table = _table("method", "order", "image passes", "text passes", "back", "")
    for method in methods:
        cost = method.cost
        table.add_row(
            plain(method.name),
            f"{method.order}",
            f"{cost.image_passes}",
            "by cost" if cost.text_passes is None else f"{cost.text_passes}",
            f"{cost.backward_passes}",
            plain(method.title),
        )
    console.print(table)


def show_method(console: Console, method: Method) -> None:
    """Print one method with its parameters."""
    say(console, f"{method.name}: {method.title}", style="bold")
    say(console, f"{method.paper}; order {method.order}")
    table = _table("parameter", "default", "accepts", "")
    for name, schema in method.parameters["properties"].items():
        default = json.dumps(schema.get("default"))
        table.add_row(plain(name), plain(default), plain(_accepted(schema)), plain(schema["description"]))
    console.print(table)


def show_metrics(console: Console, metrics: Sequence[Metric]) -> None:
    """Print the metrics by which a service judges explanations."""
    table = _table("metric", "scores", "image passes", "text passes", "")
    for metric in metrics:
        scores = ", ".join(f"{score.name} {'up' if score.higher_is_better else 'down'}" for score in metric.scores)
        passes = (f"{metric.cost.image_passes}", f"{metric.cost.text_passes}")
        table.add_row(plain(metric.name), plain(scores), *passes, plain(metric.title))
    console.print(table)


def show_jobs(console: Console, jobs: Iterable[Job]) -> None:
    """Print jobs, a line each."""
    table = _table("job", "status", "submitted", "model", "method", "caption")
    table.columns[0].no_wrap = True  # an id is there to be copied
    for job in jobs:
        submitted = job.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        status = f"{job.status} (cached)" if job.cached else job.status
        table.add_row(job.id, status, submitted, plain(job.model.id), plain(job.method), plain(job.input.caption))
    console.print(table if table.row_count else "there are no such jobs")


def _accepted(schema: dict[str, Any]) -> str:
    """The values of a JSON schema in words: its choices, else its type and range."""
    if "anyOf" in schema:
        return " or ".join(_accepted(one) for one in schema["anyOf"])
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices is not None:
        return " or ".join(map(str, choices))
    limits = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[name]:g}" for name, sign in limits.items() if name in schema]
    return " ".join([schema["type"], *bounds])


def _table(*names: str) -> Table:
    table = Table()
    for name in names:
        table.add_column(name, overflow="fold")
    return table
