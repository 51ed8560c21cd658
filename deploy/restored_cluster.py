"""The manifest of a Postgres that is restored beside the one that lost something, of that one's own.

    kubectl get clusters.postgresql.cnpg.io headwater-postgres -n headwater-data -o json |
      python3 deploy/restored_cluster.py --at "2026-01-31 12:00:00+00" > restored.json

Everything but its name and where it begins is as in the living one: image, logins, parameters, certificates, volumes.
It archives under its own name, so the archive it is restored from stays as it is. Needs no more than Python.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Sequence
from typing import Any

PLUGIN = "barman-cloud.cloudnative-pg.io"
LOST = "lost"


def restored(cluster: dict[str, Any], name: str, at: str | None = None, store: str | None = None) -> dict[str, Any]:
    """The manifest.

    :param cluster: as Kubernetes or the chart has it.
    :param at: instant to restore to; None for all that was archived.
    :param store: name of the ObjectStore; None: the one the cluster names.
    :raises ValueError: when the cluster has no archive, or nobody says which.
    """
    spec = copy.deepcopy(cluster["spec"])
    plugins = [plugin for plugin in spec.get("plugins") or () if plugin["name"] == PLUGIN]
    if not plugins:
        raise ValueError(f"{cluster['metadata']['name']} has no plugin {PLUGIN}: nothing of it was archived")
    parameters = plugins[0].setdefault("parameters", {})
    found = {
        "barmanObjectName": store or parameters.get("barmanObjectName"),
        "serverName": parameters.pop("serverName", None) or cluster["metadata"]["name"],
    }
    if not found["barmanObjectName"]:
        raise ValueError("name the archive: --store, one of `kubectl get objectstores -n headwater-data`")
    parameters["barmanObjectName"] = found["barmanObjectName"]
    target = {} if at is None else {"recoveryTarget": {"targetTime": at}}
    spec["bootstrap"] = {"recovery": {"source": LOST, **target}}
    spec["externalClusters"] = [{"name": LOST, "plugin": {"name": PLUGIN, "parameters": found}}]
    place = {"name": name, "namespace": cluster["metadata"]["namespace"]}
    return {"apiVersion": cluster["apiVersion"], "kind": cluster["kind"], "metadata": place, "spec": spec}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the cluster, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at", help='such as "2026-01-31 12:00:00+00"; left out: all that was archived')
    parser.add_argument("--name", default="headwater-postgres-restored")
    parser.add_argument("--store", help="ObjectStore of the archive, where the cluster names none")
    options = parser.parse_args(arguments)
    try:
        manifest = restored(json.load(sys.stdin), options.name, options.at, options.store)
    except ValueError as error:
        parser.error(str(error))
    json.dump(manifest, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
