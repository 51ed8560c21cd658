"""What helm makes of the Spark operator's chart with our values."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

VALUES = Path(__file__).parents[3] / "helm-values"
NAMESPACE = "headwater-operators"
THERE = ("cert-manager.io/v1/Certificate", "monitoring.coreos.com/v1/PodMonitor")
"""What the chart asks the cluster for."""


def rendered(binaries: Path, environment: str) -> list[Manifest]:
    """What Argo CD would make of the chart."""
    values = [f"--values={VALUES / place / 'spark-operator.yaml'}" for place in ("common", environment)]
    chart = str(binaries / "spark-operator-chart")
    there = [f"--api-versions={kind}" for kind in THERE]
    command = [str(binaries / "helm"), "template", "spark-operator", chart, f"--namespace={NAMESPACE}", *values, *there]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    made = [item for item in yaml.safe_load_all(told.stdout) if item]
    for item in made:
        item["metadata"].setdefault("namespace", NAMESPACE)  # as Argo CD puts it where it belongs
    return made


def arguments_of(manifests: list[Manifest], part: str) -> list[str]:
    named = [item for item in manifests if item["kind"] == "Deployment" and item["metadata"]["name"].endswith(part)]
    (container,) = named[0]["spec"]["template"]["spec"]["containers"]
    return [str(argument) for argument in container["args"]]
