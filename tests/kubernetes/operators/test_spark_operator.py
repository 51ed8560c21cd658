"""What a real Spark operator makes of the stages that Airflow's tasks make, up to the pod that only lacks a node."""

from __future__ import annotations

import copy
import json
from functools import partial

import pytest
from tests.kubernetes.api_server_under_test import Cluster, RefusedError
from tests.kubernetes.operators.spark_operator import SparkOperator, wait_for
from tests.kubernetes.operators.stages import NAMESPACE, Manifest, found, stage
from tests.kubernetes.test_server_side import pods


@pytest.fixture(scope="session")
def container(driver: Manifest) -> Manifest:
    (only,) = driver["spec"]["containers"]
    assert only["name"] == "spark-kubernetes-driver", "its log is read by that name"
    return dict(only)


def test_the_pods_of_the_operator_are_let_in(cluster: Cluster, operator: SparkOperator) -> None:
    made = list(pods(operator.manifests))
    assert len(made) == 2
    cluster.apply(made, dry=True)


def test_the_driver_is_found_by_our_labels_and_runs_as_its_account(application: Manifest, driver: Manifest) -> None:
    labels = driver["metadata"]["labels"]
    assert labels | application["spec"]["driver"]["labels"] == labels
    assert labels["spark-role"] == "driver", "the monitor of drivers asks for it"
    assert driver["spec"]["serviceAccountName"] == "headwater-spark-driver"
    (owner,) = driver["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("SparkApplication", application["metadata"]["name"])


def test_the_driver_has_the_size_of_its_stage(application: Manifest, container: Manifest) -> None:
    size = application["spec"]["driver"]
    assert container["resources"]["requests"]["cpu"] == str(size["cores"])
    heap = int(size["memory"].removesuffix("g")) * 1024
    # of Python: two fifths of the heap, at least 384 MiB, beside it
    assert container["resources"]["limits"]["memory"] == f"{heap + max(384, int(heap * 0.4))}Mi"


def test_secrets_reach_the_driver_by_reference_and_by_files(
    application: Manifest, driver: Manifest, container: Manifest
) -> None:
    """Rule 42."""
    asked = {item["name"]: item["valueFrom"] for item in application["spec"]["driver"]["env"]}
    had = {item["name"]: item.get("valueFrom") for item in container["env"]}
    assert asked == {name: had.get(name) for name in asked}
    volumes = {item["name"]: item for item in driver["spec"]["volumes"]}
    assert [volumes.get(item["name"]) for item in application["spec"]["volumes"]] == _defaulted(application)
    mounts = {item["mountPath"]: item.get("readOnly", False) for item in container["volumeMounts"]}
    assert mounts["/etc/headwater-ca"] is True
    assert mounts["/spark-events"] is False


def _defaulted(application: Manifest) -> list[Manifest]:
    """Volumes as the API server writes them."""
    made = copy.deepcopy(application["spec"]["volumes"])
    for item in made:
        if "secret" in item:
            item["secret"]["defaultMode"] = 0o644
    return list(made)


def test_the_driver_runs_without_privileges(application: Manifest, driver: Manifest, container: Manifest) -> None:
    wanted = application["spec"]["driver"]
    assert wanted["podSecurityContext"] == driver["spec"]["securityContext"]
    assert wanted["securityContext"] == container["securityContext"]


def test_spark_is_configured_as_the_stage_says(
    cluster: Cluster, application: Manifest, driver: Manifest, operator: SparkOperator
) -> None:
    """The event log for the History server, and everything else, in the configuration that spark-submit wrote."""
    (name,) = [
        item["configMap"]["name"] for item in driver["spec"]["volumes"] if item["name"] == "spark-conf-volume-driver"
    ]
    # spark-submit writes it after the pod, which waits for it
    written = wait_for(partial(found, cluster, "configmap", name), operator, "spark-submit wrote no configuration")
    lines = [line.partition("=") for line in written["data"]["spark.properties"].splitlines() if line[:1] != "#"]
    properties = {key: value.replace("\\:", ":").replace("\\=", "=") for key, _, value in lines}
    asked = application["spec"]["sparkConf"]
    differing = {key: properties.get(key) for key, value in asked.items() if properties.get(key) != value}
    assert differing == {}
    assert properties["spark.executor.instances"] == str(application["spec"]["executor"]["instances"])
    assert properties["spark.executor.memory"] == application["spec"]["executor"]["memory"]


def test_the_program_gets_its_arguments(application: Manifest, container: Manifest) -> None:
    given = container["args"]
    program = given.index(application["spec"]["mainApplicationFile"])
    assert given[program + 1 :] == application["spec"]["arguments"]


def test_what_the_operator_denies_is_refused_when_it_is_made(
    cluster: Cluster, environment: str, operator: SparkOperator
) -> None:
    assert operator.manifests
    wrong = stage(environment, "validate")
    wrong["spec"]["sparkConf"]["spark.kubernetes.container.image"] = "elsewhere/spark:1"
    with pytest.raises(RefusedError, match="use the image field"):
        cluster.apply([wrong], dry=False)


def test_the_operator_is_forbidden_nothing_it_asks_for(driver: Manifest, operator: SparkOperator) -> None:
    """It says so in its logs, and works on with less than it was told to heed."""
    assert driver
    said = [line for path in operator.folder.glob("*.log") for line in path.read_text().splitlines()]
    assert [line for line in said if "is forbidden" in line] == []


def test_a_stage_that_cannot_fit_a_new_quota_is_refused(
    cluster: Cluster, environment: str, operator: SparkOperator
) -> None:
    hard = {"requests.cpu": "500m"}
    meta = {"name": "little", "namespace": NAMESPACE}
    cluster.apply([{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}}], dry=False)
    try:
        # what the controller of quotas would write
        status = json.dumps({"status": {"hard": hard, "used": {"requests.cpu": "0"}}})
        how = ("--subresource=status", "--type=merge", f"--patch={status}")
        cluster.kubectl("patch", "resourcequota", "little", f"--namespace={NAMESPACE}", *how)
        wait_for(partial(_refused, cluster, stage(environment, "validate")), operator, "the quota is not heeded")
    finally:
        cluster.kubectl("delete", "resourcequota", "little", f"--namespace={NAMESPACE}")


def _refused(cluster: Cluster, application: Manifest) -> bool | None:
    try:
        cluster.apply([application], dry=True)
    except RefusedError as error:
        return 'resource quota "headwater-spark/little"' in str(error) or None
    return None
