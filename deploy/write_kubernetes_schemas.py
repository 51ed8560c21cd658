"""Write Kubernetes' own schemas, as kubernetes-validate ships them, in the form kubeconform reads: one file a kind.

uv run python deploy/write_kubernetes_schemas.py <folder>
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import kubernetes_validate

VERSION = "v1.35.0"
KINDS = [
    "configmap-v1",
    "namespace-v1",
    "persistentvolumeclaim-v1",
    "service-v1",
    "serviceaccount-v1",
    "cronjob-batch-v1",
    "job-batch-v1",
    "deployment-apps-v1",
    "networkpolicy-networking-v1",
    "role-rbac-v1",
    "rolebinding-rbac-v1",
]


def main(folder: Path) -> None:
    shipped = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"{VERSION}-local-strict"
    # kubeconform looks for no neighbouring schema: the definitions go into each file
    definitions = json.loads((shipped / "_definitions.json").read_text())["$defs"]
    for kind in KINDS:
        schema = json.loads((shipped / f"{kind}.json").read_text())
        del schema["$id"]
        text = json.dumps(schema | {"$defs": definitions})
        (folder / f"{kind}.json").write_text(text.replace('"/api/_definitions.json#', '"#'))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
