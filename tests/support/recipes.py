"""What the containers' recipes say, and whether a command in one is ours."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "COMPOSE_VARIABLES",
    "PYPROJECT",
    "ROOT",
    "check_command",
    "default_of",
    "environment_of",
    "instructions",
    "last",
    "stages",
]

ROOT = Path(__file__).parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE_VARIABLES = frozenset(
    {
        "FIXLIP_PUBLISHED_PORT",
        "FIXLIP_REDIS_PASSWORD",
        "FIXLIP_MODELS_DIR",
        "FIXLIP_WORKER_CPUS",
        "FIXLIP_WORKER_MEMORY",
    }
)
"""What docker-compose.yml reads besides the settings."""


@cache
def instructions() -> list[tuple[str, str]]:
    """(word, rest) of the Dockerfile's instructions, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    pairs = [line.split(maxsplit=1) for line in joined]
    return [(word, rest) for word, rest in pairs]


@cache
def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, those of the stage that it is built from first."""
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for word, rest in instructions():
        if word == "FROM":
            parent, _, name = rest.partition(" AS ")
            current = found.setdefault(name, list(found.get(parent, [("FROM", parent)])))
        else:
            current.append((word, rest))
    return found


def last(stage: str, word: str) -> str:
    """The instruction that holds: the last of its kind."""
    return [rest for instruction, rest in stages()[stage] if instruction == word][-1]


def environment_of(stage: str) -> dict[str, str]:
    """Variables that an image sets."""
    pairs = [pair for word, rest in stages()[stage] if word == "ENV" for pair in shlex.split(rest)]
    return dict(pair.split("=", 1) for pair in pairs)


@cache
def _help_on(command: str, *words: str) -> str:
    # --help is looked at last, after the other words have been read.
    done = subprocess.run(
        [sys.executable, "-m", "fixlip", command, *words, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_command(words: list[str]) -> None:
    """Fail unless the words are a command of ours, with options and arguments that it has."""
    program, command, *rest = words
    assert program in PYPROJECT["project"]["scripts"]
    text = _help_on(command, *rest)
    assert f"fixlip {command} " in text
    assert {word for word in rest if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", text))


def default_of(value: object) -> str:
    """A value of the compose file where the person who runs it has set the password and nothing else."""
    text = re.sub(r"\$\{FIXLIP_REDIS_PASSWORD:\?[^}]*\}", "secret", str(value))
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
