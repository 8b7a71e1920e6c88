"""The component that has audit records signed, taken by an overlay as its head says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import yaml

from tests.support.manifests import KUBERNETES, can_build, generated, read
from tests.support.settings import variables
from worker.settings import WorkerSettings

COMPONENT = "components/signing/kustomization.yaml"


def test_the_key_is_where_the_setting_says() -> None:
    given = generated(COMPONENT)["fixlip-worker"]
    assert given.keys() <= variables(WorkerSettings).keys()
    mount, volume = (
        operation["value"] for patch in read(COMPONENT)["patches"] for operation in yaml.safe_load(patch["patch"])
    )
    assert mount["name"] == volume["name"]
    assert Path(given["FIXLIP_SIGNING_KEY_FILE"]).parent == Path(mount["mountPath"])
    # The file is root's and the group's; a key that others can read is refused.
    assert volume["secret"]["defaultMode"] == 0o440


def test_an_overlay_can_take_it(tmp_path: Path) -> None:
    import kubernetes_validate

    relative = {name: os.path.relpath(KUBERNETES / name, tmp_path) for name in ("overlays/cpu", "components/signing")}
    kustomization = {"resources": [relative["overlays/cpu"]], "components": [relative["components/signing"]]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    if not can_build():
        worker = next(yaml.safe_load_all((KUBERNETES / "base" / "worker.yaml").read_text(encoding="utf-8")))
        assert {"volumes", "containers"} <= worker["spec"]["template"]["spec"].keys()
        return
    done = subprocess.run(["kubectl", "kustomize", str(tmp_path)], capture_output=True, text=True, check=True)
    for manifest in yaml.safe_load_all(done.stdout):
        if manifest["kind"] != "ScaledObject":
            kubernetes_validate.validate(manifest, "1.29", strict=True)
        assert ("fixlip-signing" in json.dumps(manifest)) == (
            manifest["metadata"]["name"].startswith("fixlip-worker") and manifest["kind"] in ("ConfigMap", "Deployment")
        )
