"""The containers' recipe against the code: commands, settings, paths and users that it names are those that exist.

Neither file can be run without a container engine, so every word in them that has a counterpart here is compared.
"""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.jobs.settings import JobSettings
from service.settings import ServiceSettings
from tests.support.settings import variables
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS: dict[str, type[JobSettings]] = {"api": ServiceSettings, "worker": WorkerSettings, "worker-cuda": WorkerSettings}


def instructions() -> list[tuple[str, str]]:
    """(word, rest) of the Dockerfile's instructions, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    pairs = [line.split(maxsplit=1) for line in joined]
    return [(word, rest) for word, rest in pairs]


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


STAGES = stages()


def last(stage: str, word: str) -> str:
    """The instruction that holds: the last of its kind."""
    return [rest for instruction, rest in STAGES[stage] if instruction == word][-1]


def environment_of(stage: str) -> dict[str, str]:
    """Variables that an image sets."""
    pairs = [pair for word, rest in STAGES[stage] if word == "ENV" for pair in shlex.split(rest)]
    return dict(pair.split("=", 1) for pair in pairs)


def default_of(value: str) -> str:
    """A value of the compose file where the person who runs it has set nothing."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_a_stage_of_the_dockerfile(service: str) -> None:
    assert SERVICES[service]["build"] == {"context": ".", "target": SERVICES[service]["build"]["target"]}
    assert SERVICES[service]["build"]["target"] in STAGES


@pytest.mark.parametrize("stage", ["api", "worker-cpu", "worker-cuda"])
def test_an_image_runs_a_real_command_with_real_options(stage: str) -> None:
    program, command, *options = ast.literal_eval(last(stage, "CMD"))
    assert program in PYPROJECT["project"]["scripts"]
    # --help is checked last, after the other options have been read.
    done = subprocess.run(
        [sys.executable, "-m", "fixlip", command, *options, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"fixlip {command} " in done.stdout
    assert {option for option in options if option.startswith("--")} <= set(re.findall(r"--[a-z-]+", done.stdout))


@pytest.mark.parametrize(("service", "settings"), OURS.items())
def test_a_service_is_given_real_settings_of_its_own(
    service: str, settings: type[JobSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = {
        name: value
        for name, value in environment_of(SERVICES[service]["build"]["target"]).items()
        if name.startswith("FIXLIP_")
    }
    given = {**image, **{name: default_of(value) for name, value in SERVICES[service]["environment"].items()}}
    assert given.keys() <= variables(settings).keys()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    accepted = settings()
    assert accepted.redis_url == "redis://redis:6379/0"
    assert accepted.data_dir == Path("/data")


def test_whoever_runs_it_can_set_what_the_file_says_they_can() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)", text)) - variables().keys() == {"FIXLIP_PUBLISHED_PORT"}


def test_the_api_and_the_workers_share_redis_and_the_data() -> None:
    assert {SERVICES[service]["environment"]["REDIS_URL"] for service in OURS} == {"redis://redis:6379/0"}
    assert all("data:/data" in SERVICES[service]["volumes"] for service in OURS)
    assert all(SERVICES[service]["depends_on"] == {"redis": {"condition": "service_healthy"}} for service in OURS)


def test_redis_keeps_what_was_acknowledged() -> None:
    program, *words = SERVICES["redis"]["command"]
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert program == "redis-server"
    assert options["--appendonly"] == "yes"
    assert any(volume == f"redis:{options['--dir']}" for volume in SERVICES["redis"]["volumes"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_do_no_more_than_it_must(service: str) -> None:
    settings = SERVICES[service]
    assert settings["read_only"] is True
    assert settings["tmpfs"] == ["/tmp"]
    assert settings["cap_drop"] == ["ALL"]
    user = settings.get("user") or last(settings["build"]["target"], "USER")
    assert user in {"redis", "10001:10001"}
    declared = COMPOSE["volumes"].keys()
    assert all(volume.split(":")[0] in declared for volume in settings["volumes"])


def test_the_volumes_belong_to_the_user_who_writes_there() -> None:
    (made,) = (rest for word, rest in STAGES["runtime"] if word == "RUN")
    owned = made.split("--group fixlip ")[1].split()
    mounted = {volume.split(":")[1] for service in OURS for volume in SERVICES[service]["volumes"]}
    assert mounted == set(owned)


def test_redis_and_the_api_are_watched() -> None:
    assert SERVICES["redis"]["healthcheck"]["test"] == ["CMD", "redis-cli", "ping"]
    command = last("api", "HEALTHCHECK").partition(" CMD ")[2]
    assert "http://127.0.0.1:8000/livez" in command
    *_, port = ast.literal_eval(last("api", "CMD"))
    assert port == last("api", "EXPOSE") == "8000"
    assert [default_of(published) for published in SERVICES["api"]["ports"]] == [f"{port}:{port}"]


@pytest.mark.parametrize("service", ["worker", "worker-cuda"])
def test_a_worker_is_not_killed_within_its_grace(service: str) -> None:
    assert float(SERVICES[service]["stop_grace_period"].removesuffix("s")) > variables()["FIXLIP_GRACE_S"]


def test_the_images_are_pinned() -> None:
    (python,) = (rest.partition("=")[2] for word, rest in instructions() if word == "ARG" and rest.startswith("PYTHON"))
    for image in (python, SERVICES["redis"]["image"]):
        assert re.search(r":\d+\.\d+\.\d+", image)
    minor = re.search(r":(\d+\.\d+)", python)
    assert minor is not None
    assert PYPROJECT["project"]["requires-python"] == f">={minor[1]}"


def test_the_api_image_has_no_torch() -> None:
    installs = [rest for word, rest in STAGES["api-build"] if word == "RUN" and "pip install" in rest]
    assert not any("[" in install for install in installs)
    assert any(install.endswith("--no-deps open_clip_torch") for install in installs)
    assert "COPY --from=api-build /opt/fixlip /opt/fixlip" in [" ".join(pair) for pair in STAGES["api"]]


def test_the_build_context_has_what_is_copied_and_built() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    wanted = {"pyproject.toml", "constraints.txt", "README.md", "LICENSE", *packages_of_the_wheel()}
    assert lines[1] == "*"
    assert allowed == wanted
    assert all((ROOT / name).exists() for name in allowed)


def packages_of_the_wheel() -> list[str]:
    """The packages that the wheel is made of."""
    packages: list[str] = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return packages


def test_compose_itself_accepts_the_file() -> None:
    """With the compose plugin at hand, its own word; without it, that the file names all that it uses."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        subprocess.run(["docker", "compose", "--profile", "gpu", "config", "--quiet"], cwd=ROOT, check=True)
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert used == COMPOSE["volumes"].keys()
