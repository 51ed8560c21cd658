"""What helm makes of the charts of Postgres with the values of `prod`, small enough for two processors."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

VALUES = Path(__file__).parents[4] / "helm-values"
OPERATORS, DATA = "headwater-operators", "headwater-data"
STORE = "https://backup-store.headwater-data.svc:9000"
TAG = "local"
"""Of images of this machine: Kubernetes always pulls one that is called `latest`."""
IMAGES = {"cloudnative-pg": TAG, "plugin-barman-cloud": TAG, "postgresql": "18"}
"""The operator reads PostgreSQL's version from the tag."""
_OWN: Mapping[str, Mapping[str, Any]] = {
    "cloudnative-pg": {"image": {"repository": "localhost/cloudnative-pg", "tag": TAG}},
    "plugin-barman-cloud": {
        "image": {"registry": "localhost", "repository": "plugin-barman-cloud", "tag": TAG},
        "sidecarImage": {"registry": "localhost", "repository": "postgresql", "tag": "18"},
    },
    "postgres": {
        "cluster": {
            "instances": 2,
            "imageName": "localhost/postgresql:18",
            "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
            "postgresql": {"parameters": {"shared_buffers": "128MB"}},
        },
        "backups": {
            "endpointURL": STORE,
            "instanceSidecarConfiguration": {"resources": {"requests": {"cpu": "20m", "memory": "64Mi"}}},
        },
        # its image cannot be had
        "poolers": [],
    },
}
_OF_OTHERS = ("Issuer", "Certificate")
"""What cert-manager would turn into Secrets."""


def rendered(name: str, namespace: str, folder: Path) -> list[Manifest]:
    """What Argo CD would make of the chart, without the chart's own tests.

    :param name: of the Application.
    :param folder: for the values that differ here.
    """
    charts = Path(os.environ["HEADWATER_CHARTS"])
    own = folder / f"{name}.yaml"
    own.write_text(yaml.safe_dump(_OWN[name]))
    values = [VALUES / place / f"{name}.yaml" for place in ("common", "prod")]
    command = [
        str(Path(os.environ["HEADWATER_OPERATORS"]) / "helm"), "template", name,
        str(charts / ("cluster" if name == "postgres" else name)), f"--namespace={namespace}",
        "--kube-version=1.35.4", "--api-versions=monitoring.coreos.com/v1/PodMonitor",
        *(f"--values={path}" for path in (*values, own)),
    ]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    made = [item for item in yaml.safe_load_all(told.stdout) if item and item["kind"] not in _OF_OTHERS]
    return [item for item in made if item["metadata"].get("annotations", {}).get("helm.sh/hook") != "test"]
