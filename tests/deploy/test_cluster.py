"""How the parts are scaled and whom they may talk to, and what the overlays change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.manifests import (
    KUBERNETES,
    OVERLAYS,
    container,
    generated,
    manifests,
    one,
    pod,
    read,
    settings_given,
)
from tests.support.metrics import api_metrics
from tests.support.recipes import PYPROJECT, stages
from worker.settings import WorkerSettings

PARTS = ("api", "sweeper", "webhooks", "worker")

with_overlays = pytest.mark.parametrize("overlay", OVERLAYS)


class TestScaledObject:
    """KEDA's resource, of whose words no schema is at hand: those that it has, as of version 2.17."""

    WORDS = frozenset(
        {
            "advanced",
            "cooldownPeriod",
            "fallback",
            "idleReplicaCount",
            "initialCooldownPeriod",
            "maxReplicaCount",
            "minReplicaCount",
            "pollingInterval",
            "scaleTargetRef",
            "triggers",
        }
    )
    TRIGGER_WORDS = frozenset({"activationTargetValue", "format", "targetValue", "unsafeSsl", "url", "valueLocation"})

    @with_overlays
    def test_its_words_are_kedas(self, overlay: str) -> None:
        scaled = one(overlay, "ScaledObject", "fixlip-worker")
        assert scaled["apiVersion"] == "keda.sh/v1alpha1"
        specification = scaled["spec"]
        assert specification.keys() <= self.WORDS
        assert specification["fallback"].keys() == {"failureThreshold", "replicas", "behavior"}
        assert specification["fallback"]["behavior"] == "currentReplicasIfHigher"
        assert 1 <= specification["minReplicaCount"] < specification["maxReplicaCount"]
        for trigger in specification["triggers"]:
            assert trigger.keys() <= {"type", "name", "metadata", "metricType", "authenticationRef"}
            assert trigger["type"] == "metrics-api"
            assert trigger["metadata"].keys() <= self.TRIGGER_WORDS
            assert all(isinstance(value, str) for value in trigger["metadata"].values())

    @with_overlays
    def test_it_reads_real_metrics_of_the_api(self, overlay: str, redis_url: str) -> None:
        queued, running = one(overlay, "ScaledObject", "fixlip-worker")["spec"]["triggers"]
        for trigger in (queued, running):
            assert trigger["metadata"]["url"] == "http://fixlip-api.fixlip.svc/metrics"
            assert trigger["metadata"]["format"] == "prometheus"
            assert trigger["metadata"]["valueLocation"] in api_metrics(redis_url)
        assert queued["metadata"]["valueLocation"] == "fixlip_queued_forward_passes"
        assert one(overlay, "Service", "fixlip-api")["metadata"].get("namespace", "fixlip") == "fixlip"

    @with_overlays
    def test_a_worker_runs_as_many_jobs_as_it_counts_with(self, overlay: str) -> None:
        _, running = one(overlay, "ScaledObject", "fixlip-worker")["spec"]["triggers"]
        device = settings_given(overlay, "worker")["FIXLIP_DEVICE"]
        assert int(running["metadata"]["targetValue"]) == WorkerSettings(device=device).slots

    @with_overlays
    def test_it_waits_longer_than_a_worker_takes_to_stop(self, overlay: str) -> None:
        specification = one(overlay, "ScaledObject", "fixlip-worker")["spec"]
        longest_s = pod(overlay, "worker")["terminationGracePeriodSeconds"]
        behavior = specification["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert specification["cooldownPeriod"] > longest_s
        assert behavior["scaleDown"]["stabilizationWindowSeconds"] > longest_s


class TestNetworkPolicies:
    @staticmethod
    def policy(overlay: str, name: str) -> dict[str, Any]:
        specification: dict[str, Any] = one(overlay, "NetworkPolicy", name)["spec"]
        return specification

    @with_overlays
    def test_nothing_is_allowed_that_is_not_named(self, overlay: str) -> None:
        assert self.policy(overlay, "fixlip-nothing") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        for manifest in manifests(overlay):
            if manifest["kind"] == "NetworkPolicy" and manifest["metadata"]["name"] != "fixlip-nothing":
                rules = [*manifest["spec"].get("ingress", ()), *manifest["spec"].get("egress", ())]
                assert rules
                assert all(rule["ports"] and (rule.get("from") or rule.get("to")) for rule in rules)

    @with_overlays
    def test_everybody_reaches_redis_and_none_is_let_in_but_to_the_api_and_the_metrics(self, overlay: str) -> None:
        everybody = self.policy(overlay, "fixlip-redis")["podSelector"]["matchLabels"]
        for part in PARTS:
            labels = one(overlay, "Deployment", f"fixlip-{part}")["spec"]["template"]["metadata"]["labels"]
            assert everybody.items() <= labels.items()
        entered = [
            manifest["metadata"]["name"]
            for manifest in manifests(overlay)
            if manifest["kind"] == "NetworkPolicy" and manifest["spec"].get("ingress")
        ]
        assert entered == ["fixlip-api", "fixlip-worker-metrics"]
        (rule,) = self.policy(overlay, "fixlip-api")["ingress"]
        assert [port["port"] for port in rule["ports"]] == [container(overlay, "api")["ports"][0]["name"]]


class TestOverlays:
    """What the overlays say themselves, kubectl or not."""

    @with_overlays
    def test_images_are_of_this_version(self, overlay: str) -> None:
        for image in read(f"overlays/{overlay}/kustomization.yaml").get("images", ()):
            assert image["name"].removeprefix("fixlip-") in stages()
            assert image["newTag"] == PYPROJECT["project"]["version"]

    def test_gpus_have_a_process_each(self) -> None:
        (worker,) = read("overlays/gpu/worker.yaml")["spec"]["template"]["spec"]["containers"]
        assert worker["image"] == "fixlip-worker-cuda"
        assert worker["command"] == ["fixlip", "worker", "--devices", "cuda"]
        assert worker["resources"]["limits"]["nvidia.com/gpu"] == 1
        assert generated("overlays/gpu/kustomization.yaml")["fixlip-worker"]["FIXLIP_MODELS"] != "demo"

    def test_a_managed_redis_is_outside(self) -> None:
        (rule,) = read("overlays/redis-managed/redis.yaml")["spec"]["egress"]
        assert [list(peer) for peer in rule["to"]] == [["ipBlock"]]

    def test_the_files_that_they_name_are_there(self) -> None:
        for overlay in OVERLAYS:
            kustomization = read(f"overlays/{overlay}/kustomization.yaml")
            paths = [*kustomization["resources"], *(patch["path"] for patch in kustomization.get("patches", ()))]
            assert all((KUBERNETES / "overlays" / overlay / path).exists() for path in paths)
