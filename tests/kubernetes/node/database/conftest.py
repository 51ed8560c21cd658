"""Postgres by the values of `prod`, made by its real operator in pods of a node; only for ``make restore-test``."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration.storage.secured_stores import SecuredStores
from tests.integration.storage.secured_stores import serving as serving_stores
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.node.database import secrets
from tests.kubernetes.node.database.charts import DATA, IMAGES, OPERATORS, rendered
from tests.kubernetes.node.database.server import Server
from tests.kubernetes.node.machine import CONTAINERD, Node
from tests.kubernetes.node.network import NODE, PODS
from tests.kubernetes.node.relay import relayed

collect_ignore_glob = [] if "HEADWATER_CHARTS" in os.environ else ["test_*.py"]
SERVICES = "10.0.0.0/24"
STORE = "backup-store"
BUCKET = "headwater-backups"
Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def services(cluster: Cluster, node: Node) -> None:
    """Addresses of services lead to their pods: the instances and their operator find each other by them."""
    # where the API server is: kube-proxy refuses what has no end
    api = _slice("kubernetes", "default") | {"ports": [{"name": "https", "port": 443, "protocol": "TCP"}]}
    cluster.apply([api], dry=False)
    subprocess.run(["ip", "route", "add", SERVICES, "dev", "lo", "src", NODE], check=True)
    proxy = str(Path(os.environ["HEADWATER_NODE"]) / "kube-proxy")
    arguments = (
        f"--kubeconfig={cluster.config}", "--proxy-mode=iptables", f"--cluster-cidr={PODS}", "--hostname-override=node",
        # all pods are on one bridge: an answer has to come back the way the question went
        "--masquerade-all", "--conntrack-max-per-core=0", "--healthz-bind-address=127.0.0.1:10256",
    )  # fmt: skip
    node.processes.start("kube-proxy", [proxy, *arguments])


@pytest.fixture(scope="session")
def stores() -> Iterator[SecuredStores]:
    """The bucket of backups, behind TLS; its authority signs Postgres' certificate as well."""
    names = secrets.certificate()["spec"]["dnsNames"]
    with serving_stores([*names, f"{STORE}.{DATA}.svc"]) as made, relayed(made.s3.port, at=9000):
        made.s3.client().create_bucket(Bucket=BUCKET)
        yield made


@pytest.fixture(scope="session")
def postgres(
    cluster: Cluster, node: Node, services: None, stores: SecuredStores, tmp_path_factory: pytest.TempPathFactory
) -> Server:
    """Two instances that archive, with the logins and databases of our values."""
    for name, tag in IMAGES.items():
        command = ["ctr", f"--address={CONTAINERD}", "--namespace=k8s.io", "images", "tag", "--force"]
        subprocess.run([*command, f"localhost/{name}:latest", f"localhost/{name}:{tag}"], check=True)
    folder = tmp_path_factory.mktemp("postgres")
    operators = [
        item for name in ("cloudnative-pg", "plugin-barman-cloud") for item in rendered(name, OPERATORS, folder)
    ]
    kinds = [item for item in operators if item["kind"] == "CustomResourceDefinition"]
    cluster.apply(kinds, dry=False)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *(f"crd/{_name(item)}" for item in kinds))
    volumes = [_volume(folder, size, number) for size in ("100Gi", "30Gi") for number in range(4)]
    own = [item for item in operators if item not in kinds]
    cluster.apply([*secrets.written(stores.s3), *volumes, *_store(), *own], dry=False)
    node.processes.wait_for(partial(_up, cluster), "the operators do not come up")
    cluster.apply(rendered("postgres", DATA, folder), dry=False)
    return Server(cluster, node, stores.s3.authority.ca, "headwater-postgres").ready()


def _up(cluster: Cluster) -> bool | None:
    found = json.loads(cluster.kubectl("get", "deployments", f"--namespace={OPERATORS}", "--output=json"))["items"]
    return True if all(item["status"].get("readyReplicas") == item["spec"]["replicas"] for item in found) else None


def _volume(folder: Path, size: str, number: int) -> Manifest:
    """A folder of the node: it belongs to Postgres beforehand, as a storage class would see to."""
    place = folder / f"{size}-{number}"
    place.mkdir()
    os.chown(place, 26, 26)
    spec = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "hostPath": {"path": str(place)},
    }
    meta = {"name": f"{size.lower()}-{number}"}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}


def _store() -> list[Manifest]:
    """A name for the bucket's server, which is this machine's."""
    meta = {"name": STORE, "namespace": DATA}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"clusterIP": "None"}}
    return [service, _slice(STORE, DATA) | {"ports": []}]


def _slice(service: str, namespace: str) -> Manifest:
    meta = {"name": service, "namespace": namespace, "labels": {"kubernetes.io/service-name": service}}
    kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
    return {**kind, "metadata": meta, "endpoints": [{"addresses": [NODE], "conditions": {"ready": True}}]}


def _name(item: Manifest) -> str:
    return str(item["metadata"]["name"])
