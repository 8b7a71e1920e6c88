"""The containers' recipe against the code: commands, settings, paths and users that it names are those that exist.

Neither file can be run without a container engine, so every word in them that has a counterpart here is compared, and
linters look at the rest.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from fixlip.delivering import REDIS_TIMEOUT_S
from fixlip.serving import GRACE_S
from fixlip.supervisor import ENDED_WITHIN_S
from service.jobs.settings import JobSettings
from service.settings import ServiceSettings
from service.webhooks.settings import WebhookSettings
from tests.support.recipes import (
    COMPOSE_VARIABLES,
    PYPROJECT,
    ROOT,
    check_command,
    default_of,
    environment_of,
    instructions,
    last,
    stages,
)
from tests.support.settings import variables
from worker.settings import WorkerSettings

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS: dict[str, type[JobSettings]] = {
    "api": ServiceSettings,
    "sweeper": JobSettings,
    "webhooks": WebhookSettings,
    "worker": WorkerSettings,
    "worker-cuda": WorkerSettings,
}
GIB = 2**30


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def size_bytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(gb?|m)", text, flags=re.IGNORECASE).groups()  # type: ignore[union-attr]
    return int(number) * (GIB if unit.startswith("g") else 2**20)


def command_of(service: str) -> list[str]:
    """What a service of ours runs: its own command, or its image's."""
    own: list[str] | None = SERVICES[service].get("command")
    return own or list(ast.literal_eval(last(SERVICES[service]["build"]["target"], "CMD")))


def volumes_of(service: str) -> list[str]:
    """What a service mounts."""
    volumes: list[str] = SERVICES[service].get("volumes", [])
    return volumes


def test_compose_accepts_the_file() -> None:
    path = ROOT / "docker-compose.yml"
    command = ["check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        environment = {**os.environ, "FIXLIP_REDIS_PASSWORD": "secret"}
        command = ["docker", "compose", "--profile", "*", "config", "--quiet"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)


def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_a_stage_of_the_dockerfile(service: str) -> None:
    assert SERVICES[service]["build"] == {"context": ".", "target": SERVICES[service]["build"]["target"]}
    assert SERVICES[service]["build"]["target"] in stages()


@pytest.mark.parametrize("service", OURS)
def test_a_service_runs_and_checks_real_commands(service: str) -> None:
    check_command(command_of(service))
    own = SERVICES[service].get("healthcheck")
    image = last(SERVICES[service]["build"]["target"], "HEALTHCHECK").partition(" CMD ")[2]
    kind, *check = own["test"] if own else ["CMD", *ast.literal_eval(image)]
    assert kind == "CMD"
    if service == "api":
        assert "http://127.0.0.1:8000/livez" in check[-1]
    else:
        assert check == ["fixlip", "check", service.removesuffix("-cuda")]
        check_command(check)


def test_a_worker_with_gpus_has_one_process_for_each() -> None:
    assert command_of("worker-cuda") == ["fixlip", "worker", "--devices", "cuda"]
    (device,) = SERVICES["worker-cuda"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["count"]) == ("nvidia", "all")


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
    assert {name for name in given if not name.startswith("OTEL_")} <= variables(settings).keys()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    accepted = settings()
    assert accepted.redis_url == "redis://:secret@redis:6379/0"
    assert accepted.data_dir == Path("/data")


@pytest.mark.parametrize(("service", "settings"), OURS.items())
def test_what_is_passed_on_has_the_codes_defaults(service: str, settings: type[BaseSettings]) -> None:
    real = variables(settings)
    for name, value in SERVICES[service]["environment"].items():
        passed_on = re.fullmatch(rf"\$\{{{name}:-(.*)\}}", str(value))
        if passed_on and passed_on[1] and name != "FIXLIP_PRECISION":
            assert type(real[name])(passed_on[1]) == real[name]


def test_whoever_runs_it_can_set_what_the_file_says_they_can() -> None:
    named = set(re.findall(r"\$\{(\w+)", TEXT))
    assert named - variables().keys() - {"OTEL_EXPORTER_OTLP_ENDPOINT"} == COMPOSE_VARIABLES


def test_nothing_starts_without_a_password() -> None:
    assert len(re.findall(r"\$\{FIXLIP_REDIS_PASSWORD:\?", TEXT)) == TEXT.count("${FIXLIP_REDIS_PASSWORD") == 3
    words = SERVICES["redis"]["command"]
    assert default_of(words[words.index("--requirepass") + 1]) == "secret"
    assert default_of(SERVICES["redis"]["environment"]["REDISCLI_AUTH"]) == "secret"


def test_the_services_share_redis_and_the_data() -> None:
    assert all("data:/data" in volumes_of(service) for service in OURS if service != "webhooks")
    assert all(SERVICES[service]["depends_on"] == {"redis": {"condition": "service_healthy"}} for service in OURS)


def test_redis_is_reached_by_those_who_need_it() -> None:
    reached = {service for service in SERVICES if "jobs" in SERVICES[service]["networks"]}
    assert reached == {"redis", *OURS}
    assert "ports" not in SERVICES["redis"]
    assert set(COMPOSE["networks"]) == {"jobs", "front", "metrics"}


def test_redis_keeps_what_was_acknowledged() -> None:
    program, *words = SERVICES["redis"]["command"]
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert program == "redis-server"
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "always")
    assert options["--maxmemory-policy"] == "noeviction"
    limit = SERVICES["redis"]["deploy"]["resources"]["limits"]["memory"]
    assert 2 * size_bytes(options["--maxmemory"]) <= size_bytes(limit)  # a rewrite of the file copies what changes
    assert any(volume == f"redis:{options['--dir']}" for volume in SERVICES["redis"]["volumes"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_do_no_more_than_it_must(service: str) -> None:
    settings = SERVICES[service]
    assert settings["read_only"] is True
    assert settings["tmpfs"] == ["/tmp:size=512m"]
    assert settings["cap_drop"] == ["ALL"]
    assert settings["security_opt"] == ["no-new-privileges:true"]
    assert settings["init"] is True
    user = settings.get("user") or last(settings["build"]["target"], "USER")
    assert user in {"redis", "nobody", "10001:10001"}
    sources = {default_of(volume).split(":")[0]: volume for volume in volumes_of(service)}
    assert all(source in COMPOSE["volumes"] or volume.endswith(":ro") for source, volume in sources.items())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_bounded_and_watched(service: str) -> None:
    limits = SERVICES[service]["deploy"]["resources"]["limits"]
    assert float(default_of(limits["cpus"])) > 0
    assert size_bytes(default_of(limits["memory"])) >= GIB // 2
    assert "healthcheck" in SERVICES[service] or last(SERVICES[service]["build"]["target"], "HEALTHCHECK")


def test_the_volumes_belong_to_the_user_who_writes_there() -> None:
    (made,) = (rest for word, rest in stages()["runtime"] if word == "RUN")
    owned = made.split("--group fixlip ")[1].split()
    volumes = [default_of(volume) for service in OURS for volume in volumes_of(service)]
    assert {volume.split(":")[1] for volume in volumes if not volume.endswith(":ro")} == set(owned)


def test_the_api_answers_where_it_says() -> None:
    *_, port = command_of("api")
    assert port == last("api", "EXPOSE") == "8000"
    assert [default_of(published) for published in SERVICES["api"]["ports"]] == [f"{port}:{port}"]
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert scraped["scrape_configs"][0]["static_configs"] == [{"targets": [f"api:{port}"]}]


@pytest.mark.parametrize("service", ["worker", "worker-cuda"])
def test_prometheus_finds_the_workers_where_they_answer(service: str) -> None:
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (found,) = scraped["scrape_configs"][1]["dns_sd_configs"]
    assert service in found["names"]
    assert SERVICES[service]["environment"]["FIXLIP_METRICS_PORT"] == found["port"]
    assert SERVICES[service]["environment"]["FIXLIP_METRICS_HOST"] == "0.0.0.0"
    assert set(SERVICES[service]["networks"]) & set(SERVICES["prometheus"]["networks"]) == {"metrics"}
    assert "ports" not in SERVICES[service]


def test_a_message_on_its_way_may_arrive() -> None:
    assert (
        seconds(SERVICES["webhooks"]["stop_grace_period"]) > WebhookSettings().webhook_timeout_s + 2 * REDIS_TIMEOUT_S
    )


@pytest.mark.parametrize("service", ["worker", "worker-cuda"])
def test_a_worker_is_not_killed_within_its_grace(service: str) -> None:
    needed_s = variables()["FIXLIP_GRACE_S"] + ENDED_WITHIN_S
    assert seconds(SERVICES[service]["stop_grace_period"]) > needed_s


def test_the_api_is_not_killed_within_its_grace() -> None:
    assert seconds(SERVICES["api"]["stop_grace_period"]) > GRACE_S


def test_the_images_are_pinned() -> None:
    (python,) = (rest.partition("=")[2] for word, rest in instructions() if word == "ARG" and rest.startswith("PYTHON"))
    for image in (python, SERVICES["redis"]["image"], SERVICES["prometheus"]["image"]):
        assert re.search(r":v?\d+\.\d+\.\d+", image)
    minor = re.search(r":(\d+\.\d+)", python)
    assert minor is not None
    assert PYPROJECT["project"]["requires-python"] == f">={minor[1]}"


def test_the_api_image_has_no_torch() -> None:
    installs = [rest for word, rest in stages()["api-build"] if word == "RUN" and "pip install" in rest]
    assert not any(extra in install for install in installs for extra in ("worker", "embedded"))
    assert any(install.endswith("--no-deps open_clip_torch") for install in installs)
    assert "COPY --from=api-build /opt/fixlip /opt/fixlip" in [" ".join(pair) for pair in stages()["api"]]


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


def test_every_volume_is_declared_and_used() -> None:
    mounted = {default_of(volume).split(":")[0] for service in SERVICES for volume in volumes_of(service)}
    assert {name for name in mounted if not name.startswith(".")} == COMPOSE["volumes"].keys()
