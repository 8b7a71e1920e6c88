"""The operator's guide against the code: its commands, settings, metrics and numbers are real."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from fixlip.supervisor import ENDED_WITHIN_S, FIRST_PAUSE_S, LONGEST_PAUSE_S
from tests.support.metrics import api_metrics, worker_metrics
from tests.support.recipes import COMPOSE_VARIABLES, PYPROJECT, ROOT, check_command, default_of, stages
from tests.support.settings import variables

GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"(?:`|^\$ )(fixlip [a-z][^`\n]*)", GUIDE, flags=re.MULTILINE)))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_real(command: str) -> None:
    check_command(shlex.split(command))


def test_the_commands_were_found() -> None:
    assert {"fixlip serve", "fixlip worker --devices all", "fixlip sweep", "fixlip check worker"} <= set(COMMANDS)
    assert {words[2] for words in map(str.split, COMMANDS) if words[1] == "keys"} == {
        "create",
        "list",
        "quota",
        "revoke",
    }


def test_the_settings_are_real() -> None:
    assert set(re.findall(r"FIXLIP_[A-Z_]+", GUIDE)) <= variables().keys() | COMPOSE_VARIABLES


def test_the_composes_own_variables_have_these_defaults() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(FIXLIP_\w+)` \| (.+?) \|", GUIDE, flags=re.MULTILINE))
    assert rows.keys() == COMPOSE_VARIABLES
    for name in COMPOSE_VARIABLES - {"FIXLIP_REDIS_PASSWORD"}:
        (default,) = {default_of(found) for found in re.findall(rf"\$\{{{name}:-[^}}]*\}}", text)}
        assert rows[name] == f"`{default}`"


def test_the_compose_passes_on_the_settings_that_are_named() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    named = GUIDE.partition("Of README.md's settings, `.env` may set")[2].partition("; others")[0]
    assert set(re.findall(r"FIXLIP_\w+", named)) == set(re.findall(r"\$\{(FIXLIP_\w+)", text)) - COMPOSE_VARIABLES


def test_the_metrics_are_real(redis_url: str) -> None:
    named = set(re.findall(r"fixlip_[a-z_]+", GUIDE))
    assert named
    assert named <= api_metrics(redis_url) | worker_metrics()


def test_the_images_and_overlays_are_there() -> None:
    for stage, image, version in re.findall(r"--target (\S+) --tag \S+/(\S+):(\S+) \.", GUIDE):
        assert stage == image
        assert stage in stages()
        assert version == PYPROJECT["project"]["version"]
    overlays = {path.name for path in (ROOT / "deploy" / "kubernetes" / "overlays").iterdir()}
    assert f"three overlays: {', '.join(f'`{name}`' for name in sorted(overlays)[:-1])} and" in GUIDE
    assert all((ROOT / path).exists() for path in re.findall(r"deploy/[a-z./-]+[a-z]", GUIDE))


def test_redis_is_told_what_the_guide_says() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    command = " ".join(compose["services"]["redis"]["command"])
    for option in re.findall(r"^\| `([a-z-]+ [a-z]+)` \|", GUIDE, flags=re.MULTILINE):
        assert f"--{option}" in command


def test_its_numbers_are_the_codes() -> None:
    assert f"after {FIRST_PAUSE_S:.0f} s, then {2 * FIRST_PAUSE_S:.0f} s, up to {LONGEST_PAUSE_S:.0f} s" in GUIDE
    assert f"and {ENDED_WITHIN_S:.0f} s more with `--devices`" in GUIDE
