"""What every pod of ours stands on: the node runs it as its namespace allows, and it finds the API server by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.kubernetes.api_server_under_test import Cluster, RefusedError
from tests.kubernetes.node.machine import NAME, PAUSE, Node

Manifest = dict[str, Any]
SPARK_IMAGE = "localhost/headwater-spark:latest"

ASK = """
import json, ssl, urllib.request
place = "/var/run/secrets/kubernetes.io/serviceaccount/"
trusting = ssl.create_default_context(cafile=place + "ca.crt")
token = open(place + "token").read()
url = "https://kubernetes.default.svc/api/v1/namespaces/headwater-spark/pods"
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
print(json.load(urllib.request.urlopen(request, context=trusting, timeout=20))["kind"])
"""


def pod(name: str, account: str, image: str, *command: str) -> Manifest:
    """One without privileges, as ours are."""
    namespace, _, who = account.partition("/")
    container = {
        "name": "only",
        "image": image,
        "imagePullPolicy": "Never",
        "command": list(command),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 50000, "runAsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": who,
            "securityContext": security,
            "containers": [container],
        },
    }


def ended(cluster: Cluster, node: Node, made: Manifest) -> tuple[str, str, str]:
    """Its phase, its node and what it wrote, once it is through."""
    name, namespace = made["metadata"]["name"], f"--namespace={made['metadata']['namespace']}"
    cluster.apply([made], dry=False)

    def look() -> Manifest | None:
        found: Manifest = json.loads(cluster.kubectl("get", "pod", name, namespace, "--output=json"))
        return found if found["status"].get("phase") in {"Succeeded", "Failed"} else None

    found = node.processes.wait_for(look, f"the pod {name} does not end")
    return found["status"]["phase"], found["spec"]["nodeName"], cluster.kubectl("logs", name, namespace)


def test_a_pod_runs_and_asks_the_api_server_by_name_as_its_account(cluster: Cluster, node: Node) -> None:
    made = pod("asking", "headwater/headwater-worker", PAUSE, "python3", "-c", ASK)
    assert ended(cluster, node, made) == ("Succeeded", NAME, "PodList\n")


def test_the_image_runs_without_privileges_as_its_namespace_asks(cluster: Cluster, node: Node) -> None:
    made = pod("doctor", "headwater-spark/headwater-spark-driver", SPARK_IMAGE, "headwater", "doctor")
    phase, _, said = ended(cluster, node, made)
    assert phase == "Succeeded", said
    assert "jars" in said
    assert "✗" not in said


def test_a_pod_with_a_privilege_is_not_let_in(cluster: Cluster) -> None:
    wrong = pod("privileged", "headwater-spark/headwater-spark-driver", SPARK_IMAGE, "headwater", "doctor")
    wrong["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(RefusedError, match='violates PodSecurity "restricted'):
        cluster.apply([wrong], dry=False)
