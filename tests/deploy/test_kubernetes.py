"""The manifests against the schemas of Kubernetes and against the code.

No cluster is needed. kubectl puts the overlays together where it is installed; else their common base is looked at.
"""

from __future__ import annotations

import ast

import pytest

from fixlip.serving import GRACE_S
from fixlip.supervisor import ENDED_WITHIN_S
from service.app import create_app
from service.jobs.settings import JobSettings
from service.settings import ServiceSettings
from service.webhooks.settings import WebhookSettings
from tests.support.manifests import OVERLAYS, container, manifests, one, pod, settings_given, stage_of
from tests.support.recipes import check_command, last
from tests.support.settings import variables
from worker.settings import WorkerSettings

PARTS: dict[str, type[JobSettings]] = {
    "api": ServiceSettings,
    "sweeper": JobSettings,
    "webhooks": WebhookSettings,
    "worker": WorkerSettings,
}
OLDEST_VERSION = "1.29"
NEWEST_VERSION = "1.34"

with_overlays = pytest.mark.parametrize("overlay", OVERLAYS)
with_parts = pytest.mark.parametrize("part", PARTS)


@with_overlays
@pytest.mark.parametrize("version", [OLDEST_VERSION, NEWEST_VERSION])
def test_kubernetes_knows_every_word(overlay: str, version: str) -> None:
    import kubernetes_validate

    for manifest in manifests(overlay):
        if manifest["kind"] != "ScaledObject":
            kubernetes_validate.validate(manifest, version, strict=True)


def test_the_words_are_really_looked_at() -> None:
    import kubernetes_validate

    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"prots": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST_VERSION, strict=True)


@with_overlays
def test_an_overlay_makes_all_parts(overlay: str) -> None:
    made = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests(overlay)}
    assert made >= {("Deployment", f"fixlip-{part}") for part in PARTS}
    assert {kind for kind, _ in made} >= {"ScaledObject", "NetworkPolicy", "PodDisruptionBudget", "Service"}


@with_overlays
@with_parts
def test_a_part_runs_and_checks_real_commands(overlay: str, part: str) -> None:
    specification = container(overlay, part)
    image_command = list(ast.literal_eval(last(stage_of(overlay, part), "CMD")))
    command: list[str] = specification.get("command", image_command)
    check_command(command)
    assert command[1] == {"api": "serve", "sweeper": "sweep", "webhooks": "webhooks", "worker": "worker"}[part]
    for probe in (name for name in specification if name.endswith("Probe")):
        if part == "api":
            assert specification[probe]["httpGet"]["port"] == "http"
        else:
            check: list[str] = specification[probe]["exec"]["command"]
            assert check[:3] == ["fixlip", "check", part]
            check_command(check)
            assert specification[probe]["timeoutSeconds"] >= 10  # a program starts; the default is a second


@with_overlays
@with_parts
def test_a_part_is_given_real_settings_of_its_own(overlay: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings_given(overlay, part)
    assert given.keys() <= variables(PARTS[part]).keys()
    for name, value in given.items():
        if value:
            monkeypatch.setenv(name, value)
    accepted = PARTS[part]()
    mounts = {mount["name"]: mount["mountPath"] for mount in container(overlay, part)["volumeMounts"]}
    assert str(accepted.data_dir) == "/data"
    assert mounts.get("data") == (None if part == "webhooks" else "/data")
    assert "REDIS_URL" in given


@with_overlays
def test_the_password_of_redis_is_in_a_secret_alone(overlay: str) -> None:
    for part in PARTS:
        (url,) = (entry for entry in container(overlay, part)["env"] if entry["name"] == "REDIS_URL")
        assert url["valueFrom"] == {"secretKeyRef": {"name": "fixlip-redis", "key": "url"}}
    assert not [manifest for manifest in manifests(overlay) if manifest["kind"] == "Secret"]


@with_overlays
@with_parts
def test_a_part_may_do_no_more_than_it_must(overlay: str, part: str) -> None:
    """The `restricted` standard of pod security, and more."""
    specification, inside = pod(overlay, part), container(overlay, part)
    user = last(stage_of(overlay, part), "USER")
    security = specification["securityContext"]
    assert security["runAsNonRoot"] is True
    assert f"{security['runAsUser']}:{security['runAsGroup']}" == user
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    account = one(overlay, "ServiceAccount", specification["serviceAccountName"])
    assert account["automountServiceAccountToken"] is specification["automountServiceAccountToken"] is False
    assert specification["enableServiceLinks"] is False
    assert inside["resources"]["limits"]["memory"]


@with_overlays
@with_parts
def test_what_is_written_has_a_volume(overlay: str, part: str) -> None:
    mounts = {mount["mountPath"]: mount["name"] for mount in container(overlay, part)["volumeMounts"]}
    volumes = {volume["name"] for volume in pod(overlay, part)["volumes"]}
    assert set(mounts.values()) == volumes
    wanted = {"worker": {"/data", "/tmp", "/home/fixlip/.cache"}, "webhooks": {"/tmp"}}
    assert mounts.keys() == wanted.get(part, {"/data", "/tmp"})
    claims = {volume["persistentVolumeClaim"]["claimName"] for volume in pod(overlay, part)["volumes"][:-1]}
    for claim in claims:
        assert one(overlay, "PersistentVolumeClaim", claim)["spec"]["accessModes"] == ["ReadWriteMany"]


@with_overlays
def test_a_worker_has_somebody_to_bury_the_orphans_of_those_who_were_killed(overlay: str) -> None:
    """Else our process is the first of its container, and neither does that nor ends by a signal before it listens."""
    assert pod(overlay, "worker")["shareProcessNamespace"] is True


@with_overlays
def test_a_part_is_not_killed_within_its_grace(overlay: str) -> None:
    worker, api = pod(overlay, "worker"), pod(overlay, "api")
    grace_s = float(settings_given(overlay, "worker")["FIXLIP_GRACE_S"])
    assert worker["terminationGracePeriodSeconds"] > grace_s + ENDED_WITHIN_S
    _, before = container(overlay, "api")["lifecycle"]["preStop"]["exec"]["command"]
    assert api["terminationGracePeriodSeconds"] > float(before) + GRACE_S


@with_overlays
def test_a_probe_outlasts_missed_heartbeats(overlay: str) -> None:
    heartbeat_s = float(settings_given(overlay, "worker")["FIXLIP_HEARTBEAT_S"])
    for part in ("worker", "sweeper", "webhooks"):
        probe = container(overlay, part)["livenessProbe"]
        assert probe["exec"]["command"][-1] == "--no-needs-redis"
        assert probe["periodSeconds"] * probe["failureThreshold"] > 10 * 3 * heartbeat_s


@with_overlays
def test_the_api_is_reached_where_it_answers(overlay: str) -> None:
    (port,) = container(overlay, "api")["ports"]
    assert str(port["containerPort"]) == last("api", "EXPOSE")
    service = one(overlay, "Service", "fixlip-api")["spec"]
    assert [entry["targetPort"] for entry in service["ports"]] == [port["name"]] == ["http"]
    labels = one(overlay, "Deployment", "fixlip-api")["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    annotations = one(overlay, "Deployment", "fixlip-api")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(port["containerPort"])
    probes = [value for name, value in container(overlay, "api").items() if name.endswith("Probe")]
    assert len(probes) == 3
    probed = {probe["httpGet"]["path"] for probe in probes}
    paths = create_app(ServiceSettings()).openapi()["paths"].keys()
    assert probed | {annotations["prometheus.io/path"]} <= paths


@with_overlays
def test_selectors_meet_their_pods(overlay: str) -> None:
    deployments = {part: one(overlay, "Deployment", f"fixlip-{part}")["spec"] for part in PARTS}
    labels = {part: deployment["template"]["metadata"]["labels"] for part, deployment in deployments.items()}
    for part in PARTS:
        selector = deployments[part]["selector"]["matchLabels"]
        assert [other for other in PARTS if selector.items() <= labels[other].items()] == [part]
    for part in ("api", "worker"):
        selector = one(overlay, "PodDisruptionBudget", f"fixlip-{part}")["spec"]["selector"]["matchLabels"]
        assert selector.items() <= labels[part].items()
        for constraint in pod(overlay, part)["topologySpreadConstraints"]:
            assert constraint["labelSelector"]["matchLabels"].items() <= labels[part].items()


@with_overlays
def test_those_that_are_scaled_do_not_say_how_many(overlay: str) -> None:
    scaled = {
        manifest["spec"]["scaleTargetRef"]["name"]
        for manifest in manifests(overlay)
        if manifest["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}
    }
    assert scaled == {"fixlip-api", "fixlip-worker"}
    for name in scaled:
        assert "replicas" not in one(overlay, "Deployment", name)["spec"]
    assert one(overlay, "Deployment", "fixlip-sweeper")["spec"]["replicas"] == 1


@with_overlays
def test_the_worker_s_metrics_are_where_they_are_looked_for(overlay: str) -> None:
    (port,) = container(overlay, "worker")["ports"]
    given = settings_given(overlay, "worker")
    annotations = one(overlay, "Deployment", "fixlip-worker")["spec"]["template"]["metadata"]["annotations"]
    assert str(port["containerPort"]) == given["FIXLIP_METRICS_PORT"] == annotations["prometheus.io/port"]
    assert given["FIXLIP_METRICS_HOST"] == "0.0.0.0"
    (rule,) = one(overlay, "NetworkPolicy", "fixlip-worker-metrics")["spec"]["ingress"]
    assert [entry["port"] for entry in rule["ports"]] == [port["name"]] == ["metrics"]
