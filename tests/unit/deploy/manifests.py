"""The committed manifests, read once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
NOT_RESOURCES = {"kustomization.yaml", "profile.yaml"}
POD_MAKERS = {"Deployment", "Job", "CronJob"}

Manifest = dict[str, Any]


@cache
def manifests() -> tuple[tuple[str, Manifest], ...]:
    """File and manifest of every whole resource; the patches of overlays are no whole resources."""
    files = [*DEPLOY.glob("base/*/*.yaml"), *DEPLOY.glob("argocd/*/*.yaml")]
    found = [
        (path.relative_to(ROOT).as_posix(), manifest)
        for path in sorted(files)
        if path.name not in NOT_RESOURCES
        for manifest in yaml.safe_load_all(path.read_text())
    ]
    assert len(found) > 60
    return tuple(found)


def of_kind(*kinds: str) -> list[Manifest]:
    """Every manifest of these kinds."""
    return [manifest for _, manifest in manifests() if manifest["kind"] in kinds]


def pods() -> Iterator[tuple[str, Manifest]]:
    """Name and pod specification of everything that makes pods."""
    for manifest in of_kind(*POD_MAKERS):
        spec = manifest["spec"]
        spec = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
        yield manifest["metadata"]["name"], spec["template"]["spec"]


def containers() -> Iterator[tuple[str, Manifest]]:
    """Name and specification of every container."""
    for name, pod in pods():
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            yield f"{name}/{container['name']}", container
