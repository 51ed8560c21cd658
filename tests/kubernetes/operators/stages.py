"""Stages as Airflow's tasks make them, and what is made of them on the API server."""

from __future__ import annotations

import json
from typing import Any

import yaml
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.conftest import DEPLOY

Manifest = dict[str, Any]
NAMESPACE = "headwater-spark"


def stage(environment: str, name: str = "refine") -> Manifest:
    made: Manifest = yaml.safe_load((DEPLOY / "spark" / environment / f"{name}.yaml").read_text())
    return made


def found(cluster: Cluster, kind: str, name: str) -> Manifest | None:
    text = cluster.kubectl("get", kind, name, f"--namespace={NAMESPACE}", "--output=json", refused_is_fine=True)
    return json.loads(text) if text else None


def say(cluster: Cluster, pod: str, **status: Any) -> None:
    """What a kubelet would write."""
    patch = json.dumps({"status": status})
    how = ("--subresource=status", "--type=merge", f"--patch={patch}")
    cluster.kubectl("patch", "pod", pod, f"--namespace={NAMESPACE}", *how)
