"""A method's parameters as they are written on the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixlip.errors import CommandError

__all__ = ["parse_parameters"]


def parse_parameters(given: Sequence[str]) -> dict[str, Any]:
    """``NAME=VALUE`` texts as parameters: a value is JSON, or else text; ``@FILE`` is the JSON in a file.

    Raises:
        CommandError: one is no ``NAME=VALUE``, is given twice, or its file cannot be read.
    """
    parameters: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise CommandError(f"--param must be NAME=VALUE, as in beta=0.1, not {text!r}")
        if name in parameters:
            raise CommandError(f"--param {name} is given more than once")
        parameters[name] = _from_file(name, value[1:]) if value.startswith("@") else _parse(value)
    return parameters


def _parse(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _from_file(name: str, path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"--param {name}: cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"--param {name}: {path} is not JSON: {error}") from error
