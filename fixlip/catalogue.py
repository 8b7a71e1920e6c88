"""What the terminal shows of a service's models and methods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["show_method", "show_methods", "show_models"]


def show_models(console: Console, models: Sequence[dict[str, Any]]) -> None:
    """Print the models of ``GET /v1/models``."""
    table = _table("model", "patches", "tokens", "runs on", "workers", "methods")
    for model in models:
        rows, columns = model["grid"]
        table.add_row(
            escape(model["id"]),
            f"{rows} x {columns}",
            f"{model['max_tokens']}",
            f"{model['device']} {model['precision']}",
            f"{model['workers']}",
            "all" if model["attention"] else ", ".join(model["methods"]),
        )
    console.print(table if models else "no worker has announced a model yet")


def show_methods(console: Console, methods: Sequence[dict[str, Any]]) -> None:
    """Print the methods of ``GET /v1/methods``."""
    table = _table("method", "order", "image passes", "text passes", "back", "")
    for method in methods:
        cost = method["cost"]
        text_passes = "by cost" if cost["text_passes"] is None else f"{cost['text_passes']}"
        table.add_row(
            method["name"],
            f"{method['order']}",
            f"{cost['image_passes']}",
            text_passes,
            f"{cost['backward_passes']}",
            escape(method["title"]),
        )
    console.print(table)


def show_method(console: Console, method: dict[str, Any]) -> None:
    """Print one method with its parameters."""
    console.print(f"[bold]{method['name']}[/]: {escape(method['title'])}", soft_wrap=True)
    console.print(f"{method['paper']}; order {method['order']}", soft_wrap=True)
    table = _table("parameter", "default", "accepts", "")
    for name, schema in method["parameters"]["properties"].items():
        default = json.dumps(schema.get("default"))
        table.add_row(name, escape(default), escape(_accepted(schema)), escape(schema["description"]))
    console.print(table)


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
