"""The component that puts inputs and results into a bucket, taken by an overlay as its head says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.jobs.settings import JobSettings
from service.jobs.storage.location import Bucket
from tests.support.manifests import KUBERNETES, can_build, generated, read
from tests.support.settings import variables

COMPONENT = "components/s3/kustomization.yaml"
USERS = ("api", "sweeper", "worker")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the overlay for CPUs makes with the component; without kubectl, the component's own files."""
    if not can_build():
        return [read("components/s3/network-policy.yaml")]
    folder = tmp_path_factory.mktemp("overlay")
    relative = {name: os.path.relpath(KUBERNETES / name, folder) for name in ("overlays/cpu", "components/s3")}
    kustomization = {"resources": [relative["overlays/cpu"]], "components": [relative["components/s3"]]}
    Path(folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def test_kubernetes_knows_every_word(made: list[dict[str, Any]]) -> None:
    import kubernetes_validate

    for manifest in made:
        if manifest["kind"] != "ScaledObject":
            kubernetes_validate.validate(manifest, "1.29", strict=True)


def test_all_who_use_the_store_get_its_url_and_keys_and_no_claim(made: list[dict[str, Any]]) -> None:
    deployments = {one["metadata"]["name"]: one for one in made if one["kind"] == "Deployment"}
    for part in USERS if deployments else ():
        pod = deployments[f"fixlip-{part}"]["spec"]["template"]["spec"]
        sources = pod["containers"][0]["envFrom"]
        assert {"secretRef": {"name": "fixlip-store", "optional": True}} in sources
        assert sum("configMapRef" in source and "fixlip-jobs" in str(source) for source in sources) == 1
        assert {"name": "data", "emptyDir": {}} in pod["volumes"]
    if deployments:
        assert "fixlip-store" not in str(deployments["fixlip-webhooks"])
    assert "fixlip-data" not in [one["metadata"]["name"] for one in made]


def test_the_url_is_one_that_the_code_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    given = generated(COMPONENT)["fixlip-jobs"]
    assert given.keys() <= variables(JobSettings).keys()
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    location = JobSettings().store_location
    assert isinstance(location, Bucket)
    assert not location.allow_http


def test_those_who_use_the_store_may_reach_it(made: list[dict[str, Any]]) -> None:
    (policy,) = (one for one in made if one["metadata"]["name"] == "fixlip-store")
    (selector,) = policy["spec"]["podSelector"]["matchExpressions"]
    assert tuple(selector["values"]) == USERS
    assert policy["spec"]["egress"][0]["ports"] == [{"protocol": "TCP", "port": 443}]
