"""What Spark asks of the image `spark` in the pods it makes: both entry points, as the driver's account."""

from __future__ import annotations

from collections.abc import Mapping

from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.node.machine import Node
from tests.kubernetes.node.network import NODE
from tests.kubernetes.node.test_pods import SPARK_IMAGE, Manifest, ended, pod

CONF = "/opt/spark/conf"
PROPERTIES = "spark.app.name=flights\n"


def spark_pod(role: str, *arguments: str, **environment: str) -> Manifest:
    """As Spark makes one: by the image's own entry point, with a folder for rows and its configuration from a map."""
    made = pod(role, "headwater-spark/headwater-spark-driver", SPARK_IMAGE)
    (container,) = made["spec"]["containers"]
    del container["command"]
    variables: Mapping[str, str] = {"SPARK_CONF_DIR": CONF, **environment}
    container |= {
        "args": [role, *arguments],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "volumeMounts": [{"name": "conf", "mountPath": CONF}, {"name": "rows", "mountPath": "/var/data/rows"}],
    }
    made["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "conf"}}, {"name": "rows", "emptyDir": {}}]
    return made


def configured(cluster: Cluster) -> None:
    meta = {"name": "conf", "namespace": "headwater-spark"}
    data = {"spark.properties": PROPERTIES}
    cluster.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}], dry=False)


def test_a_driver_starts_spark_beside_its_mounted_configuration(cluster: Cluster, node: Node) -> None:
    configured(cluster)
    asked = ("--properties-file", f"{CONF}/spark.properties", "--version")
    phase, _, said = ended(cluster, node, spark_pod("driver", *asked, SPARK_DRIVER_BIND_ADDRESS="10.244.0.2"))
    assert phase == "Succeeded", said
    assert "version 4.1.4" in said


def test_an_executor_starts_and_asks_for_the_driver_it_was_told(cluster: Cluster, node: Node) -> None:
    """There is none at that port: an executor without a driver ends."""
    configured(cluster)
    told = {
        "SPARK_DRIVER_URL": f"spark://CoarseGrainedScheduler@{NODE}:7078",
        "SPARK_EXECUTOR_MEMORY": "300m",
        "SPARK_EXECUTOR_ID": "1",
        "SPARK_EXECUTOR_CORES": "1",
        "SPARK_APPLICATION_ID": "spark-1",
        "SPARK_EXECUTOR_POD_IP": "127.0.0.1",
        "SPARK_EXECUTOR_POD_NAME": "executor",
        "SPARK_RESOURCE_PROFILE_ID": "0",
        "SPARK_JAVA_OPT_0": "-Dspark.driver.port=7078",
        "SPARK_JAVA_OPT_1": "-Duser.timezone=UTC",
    }
    phase, _, said = ended(cluster, node, spark_pod("executor", **told))
    assert phase == "Failed"
    assert f"Failed to connect to /{NODE}:7078" in said
