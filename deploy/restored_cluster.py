r"""The manifest of a Postgres that is restored beside the one that lost something, of that one's own.

    kubectl get clusters.postgresql.cnpg.io/headwater-postgres objectstores/headwater-postgres-backups \
      -n headwater-data -o json | python3 deploy/restored_cluster.py --at "2026-01-31 12:00:00+00" > restored.json

Everything but its name and where it begins is as in the living one: image, logins, parameters, certificates, volumes.
It archives under its own name, so the archive it is restored from stays as it is, and by an ObjectStore of the name
that the chart will give it. Needs no more than Python.
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


def restored(
    cluster: dict[str, Any], name: str, at: str | None = None, store: str | None = None, archive: str | None = None
) -> dict[str, Any]:
    """The manifest.

    :param cluster: as Kubernetes or the chart has it.
    :param at: instant to restore to; None for all that was archived.
    :param store: name of the ObjectStore; None: the one the cluster names.
    :param archive: name of the ObjectStore it archives by; None: the same.
    :raises ValueError: when the cluster has no archive, or nobody says which.
    """
    spec = copy.deepcopy(cluster["spec"])
    parameters = _archiver(spec, cluster["metadata"]["name"]).setdefault("parameters", {})
    found = {
        "barmanObjectName": store or parameters.get("barmanObjectName"),
        "serverName": parameters.pop("serverName", None) or cluster["metadata"]["name"],
    }
    if not found["barmanObjectName"]:
        raise ValueError("name the archive: --store, one of `kubectl get objectstores -n headwater-data`")
    parameters["barmanObjectName"] = archive or found["barmanObjectName"]
    target = {} if at is None else {"recoveryTarget": {"targetTime": at}}
    spec["bootstrap"] = {"recovery": {"source": LOST, **target}}
    spec["externalClusters"] = [{"name": LOST, "plugin": {"name": PLUGIN, "parameters": found}}]
    return _manifest(cluster, name, spec)


def manifests(given: Sequence[dict[str, Any]], name: str, at: str | None, store: str | None) -> dict[str, Any]:
    """The cluster, or with its ObjectStore among what is given a list: a store of the new name, then the cluster.

    A chart whose ``fullnameOverride`` is the new name asks for that store. An instance knows the certificate
    authorities of the stores it was started with and no others: told of another store later, it cannot archive to it,
    and a former primary that cannot archive does not end its switchover.

    :raises ValueError: as ``restored``, and when there is not one cluster.
    """
    clusters = [item for item in given if item["kind"] == "Cluster"]
    if len(clusters) != 1:
        raise ValueError(f"give the description of one cluster; got {len(clusters)}")
    (cluster,) = clusters
    stores = {item["metadata"]["name"]: item for item in given if item["kind"] == "ObjectStore"}
    if not stores:
        return restored(cluster, name, at, store)
    plugin = _archiver(cluster["spec"], cluster["metadata"]["name"])
    wanted = store or plugin.get("parameters", {}).get("barmanObjectName")
    if wanted not in stores:
        raise ValueError(f"the cluster archives by the ObjectStore {wanted}; got {', '.join(stores)}")
    own = _manifest(stores[wanted], f"{name}-backups", stores[wanted]["spec"])
    made = restored(cluster, name, at, wanted, own["metadata"]["name"])
    return {"apiVersion": "v1", "kind": "List", "items": [own, made]}


def _archiver(spec: dict[str, Any], name: str) -> dict[str, Any]:
    plugins = [plugin for plugin in spec.get("plugins") or () if plugin["name"] == PLUGIN]
    if not plugins:
        raise ValueError(f"{name} has no plugin {PLUGIN}: nothing of it was archived")
    found: dict[str, Any] = plugins[0]
    return found


def _manifest(like: dict[str, Any], name: str, spec: dict[str, Any]) -> dict[str, Any]:
    place = {"name": name, "namespace": like["metadata"]["namespace"]}
    return {"apiVersion": like["apiVersion"], "kind": like["kind"], "metadata": place, "spec": spec}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the cluster, and its store if it is there; write what is to be applied."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at", help='such as "2026-01-31 12:00:00+00"; left out: all that was archived')
    parser.add_argument("--name", default="headwater-postgres-restored")
    parser.add_argument("--store", help="ObjectStore of the archive, where the cluster names none")
    options = parser.parse_args(arguments)
    try:
        given = json.load(sys.stdin)
        items = given["items"] if given["kind"] == "List" else [given]
        manifest = manifests(items, options.name, options.at, options.store)
    except ValueError as error:
        parser.error(str(error))
    json.dump(manifest, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
