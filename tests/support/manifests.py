"""The manifests for Kubernetes as a cluster would be given them."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import Any

import yaml

from tests.support.recipes import ROOT, environment_of

__all__ = [
    "KUBERNETES",
    "OVERLAYS",
    "Manifest",
    "can_build",
    "container",
    "generated",
    "manifests",
    "one",
    "pod",
    "read",
    "settings_given",
    "stage_of",
]

KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = tuple(sorted(path.name for path in (KUBERNETES / "overlays").iterdir()))

Manifest = dict[str, Any]


def can_build() -> bool:
    """Whether this machine has kubectl, whose kustomize puts the overlays together."""
    return shutil.which("kubectl") is not None


@cache
def manifests(overlay: str) -> tuple[Manifest, ...]:
    """What an overlay makes; without kubectl, what all of them start from: the base's files."""
    if can_build():
        command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)]
        texts = [subprocess.run(command, capture_output=True, text=True, check=True).stdout]
    else:
        names = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
        texts = [(KUBERNETES / "base" / name).read_text(encoding="utf-8") for name in names]
    return tuple(document for text in texts for document in yaml.safe_load_all(text))


def one(overlay: str, kind: str, name: str) -> Manifest:
    """The manifest of a kind and name; of a config map, whose name ends in a digest, by how the name begins."""
    (found,) = (
        manifest
        for manifest in manifests(overlay)
        if manifest["kind"] == kind
        and (manifest["metadata"]["name"] == name or (kind == "ConfigMap" and name in manifest["metadata"]["name"]))
    )
    return found


def pod(overlay: str, part: str) -> Manifest:
    """The pods' specification of a deployment."""
    found: Manifest = one(overlay, "Deployment", f"fixlip-{part}")["spec"]["template"]["spec"]
    return found


def container(overlay: str, part: str) -> Manifest:
    """The only container of a deployment's pods."""
    (found,) = pod(overlay, part)["containers"]
    assert isinstance(found, dict)
    return found


def stage_of(overlay: str, part: str) -> str:
    """The stage of the Dockerfile that a deployment runs."""
    image: str = container(overlay, part)["image"]
    return image.rpartition("/")[2].partition(":")[0].removeprefix("fixlip-")


def settings_given(overlay: str, part: str) -> dict[str, str]:
    """The environment of a container: its image's, its config maps' and its own."""
    given = {name: value for name, value in environment_of(stage_of(overlay, part)).items() if "FIXLIP" in name}
    for source in container(overlay, part)["envFrom"]:
        name = source["configMapRef"]["name"]
        if can_build():
            given |= one(overlay, "ConfigMap", name)["data"]
        else:
            given |= generated("base/kustomization.yaml")[name]
    return given | {entry["name"]: "" for entry in container(overlay, part)["env"]}


def read(path: str) -> Manifest:
    """A file of the manifests as it is."""
    found: Manifest = yaml.safe_load((KUBERNETES / path).read_text(encoding="utf-8"))
    return found


def generated(path: str) -> dict[str, dict[str, str]]:
    """The config maps that a kustomization makes, by name."""
    generators = read(path)["configMapGenerator"]
    return {
        generator["name"]: dict(literal.split("=", 1) for literal in generator["literals"]) for generator in generators
    }
