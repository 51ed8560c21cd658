"""What a real API server says of our manifests: every field, every pod's privileges, every account's rights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.kubernetes.api_server_under_test import Cluster, RefusedError
from tests.kubernetes.conftest import DEPLOY, FIRST

Manifest = dict[str, Any]


def pods(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The pods that controllers would make: only of them does the server judge the privileges."""
    for item in manifests:
        if item["kind"] not in {"Deployment", "Job", "CronJob"}:
            continue
        spec = item["spec"]["jobTemplate"]["spec"] if item["kind"] == "CronJob" else item["spec"]
        meta = {"name": item["metadata"]["name"], "namespace": item["metadata"]["namespace"]}
        # the controller of jobs says so where the manifest does not have to
        pod = {"restartPolicy": "Never", **spec["template"]["spec"]}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod}


def applications(environment: str) -> list[Manifest]:
    """Stages as Airflow's tasks make them."""
    return [yaml.safe_load(path.read_text()) for path in sorted((DEPLOY / "spark" / environment).glob("[rv]*.yaml"))]


def test_everything_we_apply_is_taken(cluster: Cluster, manifests: list[Manifest]) -> None:
    rest = [item for item in manifests if item["kind"] not in FIRST]
    assert len(rest) > 50
    cluster.apply(rest, dry=True)


def test_stages_are_taken(cluster: Cluster, environment: str) -> None:
    made = applications(environment)
    assert len(made) == 2
    assert cluster.apply(made, dry=True).count("serverside-applied") == 2


def test_pods_are_let_in_by_the_security_of_their_namespace(cluster: Cluster, manifests: list[Manifest]) -> None:
    found = list(pods(manifests))
    assert len(found) == 4
    cluster.apply(found, dry=True)
    wrong = copy.deepcopy(found[0])
    wrong["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(RefusedError, match='violates PodSecurity "restricted'):
        cluster.apply([wrong], dry=True)


@pytest.mark.parametrize("kind", ["CronJob", "Kafka", "ExternalSecret", "Certificate", "NetworkPolicy"])
def test_a_mistyped_key_is_refused(cluster: Cluster, manifests: list[Manifest], kind: str) -> None:
    wrong = copy.deepcopy(next(item for item in manifests if item["kind"] == kind))
    wrong["spec"]["mistyped"] = True
    with pytest.raises(RefusedError, match="mistyped"):
        cluster.apply([wrong], dry=True)


def test_a_stage_of_an_unknown_kind_is_refused(cluster: Cluster, environment: str) -> None:
    wrong = applications(environment)[0]
    wrong["spec"]["restartPolicy"]["type"] = "Sometimes"
    with pytest.raises(RefusedError, match=r"restartPolicy\.type"):
        cluster.apply([wrong], dry=True)


MAY = {
    "headwater/airflow-scheduler": {("create", "pods", "headwater"), ("patch", "pods", "headwater")},
    "headwater/airflow-triggerer": {
        ("get", "pods/log", "headwater-spark"),
        ("list", "sparkapplications.sparkoperator.k8s.io", "headwater-spark"),
        # of a task that somebody fails or clears while it waits
        ("delete", "sparkapplications.sparkoperator.k8s.io", "headwater-spark"),
    },
    "headwater/headwater-worker": {
        ("create", "sparkapplications.sparkoperator.k8s.io", "headwater-spark"),
        ("delete", "sparkapplications.sparkoperator.k8s.io", "headwater-spark"),
        ("list", "sparkapplications.sparkoperator.k8s.io", "headwater-spark"),
        ("get", "pods/log", "headwater-spark"),
        # asked for only when an application fails
        ("patch", "pods", "headwater-spark"),
    },
    "headwater-spark/headwater-spark-driver": {
        ("create", "pods", "headwater-spark"),
        ("patch", "pods", "headwater-spark"),
        ("deletecollection", "pods", "headwater-spark"),
        ("create", "configmaps", "headwater-spark"),
    },
    "headwater/headwater-watchdog": set(),
    "headwater-spark/spark-history": set(),
}
"""docs/operations/security.md, "Who may do what in Kubernetes"."""
ASKED = sorted(set[tuple[str, str, str]]().union(*MAY.values())) + [
    (verb, resource, namespace)
    for namespace in ("headwater", "headwater-spark", "headwater-data", "headwater-query")
    for verb, resource in (("get", "secrets"), ("create", "pods/exec"), ("create", "rolebindings"), ("*", "*"))
]


@pytest.mark.parametrize("account", MAY)
def test_an_account_may_what_the_guide_says_and_nothing_else(cluster: Cluster, account: str) -> None:
    assert {asked for asked in ASKED if cluster.may(account, *asked)} == MAY[account]
