"""What the chart of Airflow makes of our values, as small as its pods can be: it cannot be fetched here.

Each part is as the templates of chart 1.22 have it: names, mounts, variables, commands, probes. What a node with two
processors cannot give is left out: a second replica of anything, and the processors that pods ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

Manifest = dict[str, Any]
NAMESPACE = "headwater"
HOME = "/opt/airflow"
_TEMPLATE = f"{HOME}/pod_templates/pod_template_file.yaml"
_SECRETS = {
    "AIRFLOW__CORE__FERNET_KEY": ("fernetKeySecretName", "fernet-key"),
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": ("metadata", "connection"),
    "AIRFLOW_CONN_AIRFLOW_DB": ("metadata", "connection"),
    "AIRFLOW__API__SECRET_KEY": ("apiSecretKeySecretName", "api-secret-key"),
}
_JWT = {"AIRFLOW__API_AUTH__JWT_SECRET": ("jwtSecretName", "jwt-secret")}
_COMPONENTS = {
    "scheduler": ("scheduler", "scheduler", "SchedulerJob"),
    "triggerer": ("triggerer", "triggerer", "TriggererJob"),
    "dag-processor": ("dagProcessor", "dag-processor", "DagProcessorJob"),
}
"""Name of the deployment -> its key in the values, its command, the job that its probe looks for."""


class AirflowChart:
    """The manifests of one release.

    :param values: of common and an environment, merged; ``images.airflow`` names what the node has.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        airflow = values["images"]["airflow"]
        self.image = f"{airflow['repository']}:{airflow['tag']}"

    def manifests(self) -> list[Manifest]:
        """Configuration, migration and components; accounts of components that the values name none for."""
        names = ("airflow-api-server", "airflow-dag-processor", "airflow-migrate-database-job")
        accounts = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(name)} for name in names]
        data = {"airflow.cfg": self._configuration(), "pod_template_file.yaml": yaml.safe_dump(self.pod_template())}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta("airflow-config"), "data": data}
        return [*accounts, config, self._migration(), *map(self._component, _COMPONENTS), *self._api_server()]

    def pod_template(self) -> Manifest:
        """What the executor makes the pod of a task from."""
        asked = self._values["workers"]["kubernetes"]
        executor = {"name": "AIRFLOW__CORE__EXECUTOR", "value": self._values["executor"]}
        container = self._container("base", [], asked, security=asked["securityContexts"]["container"])
        del container["args"]
        container["env"].insert(0, executor)
        pod = self._pod("", container, asked, security=asked["securityContexts"]["pod"])
        pod |= {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": asked["terminationGracePeriodSeconds"],
            "serviceAccountName": asked["serviceAccount"]["name"],
        }
        evict = {"cluster-autoscaler.kubernetes.io/safe-to-evict": str(asked["safeToEvict"]).lower()}
        labels = {"tier": "airflow", "component": "worker", "release": "airflow"}
        meta = {"name": "placeholder-name", "labels": labels, "annotations": evict}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod}

    def _configuration(self) -> str:
        """``airflow.cfg``: the chart's own entries that matter here, and ours over them."""
        airflow = self._values["images"]["airflow"]
        sections: dict[str, dict[str, Any]] = {
            "core": {"dags_folder": f"{HOME}/dags", "load_examples": "False", "executor": self._values["executor"]},
            "metrics": {"statsd_on": "True", "statsd_host": "airflow-statsd", "statsd_port": 9125},
            "kubernetes_executor": {
                "namespace": NAMESPACE, "pod_template_file": _TEMPLATE, "multi_namespace_mode": "False",
                "worker_container_repository": airflow["repository"], "worker_container_tag": airflow["tag"],
            },
        }  # fmt: skip
        for name, entries in self._values["config"].items():
            sections.setdefault(name, {}).update(entries)
        lines = [
            f"[{name}]\n" + "".join(f"{key} = {sections[name][key]}\n" for key in sections[name]) for name in sections
        ]
        return "\n".join(lines)

    def _migration(self) -> Manifest:
        """Without our environment, as ``applyCustomEnv: false`` has it."""
        container = self._container("run-airflow-migrations", ["bash", "-c", "exec airflow db migrate"], {})
        del container["envFrom"]
        pod = self._pod("airflow-migrate-database-job", container, {}) | {"restartPolicy": "OnFailure"}
        meta = _meta("airflow-run-airflow-migrations")
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": {"spec": pod}}}

    def _component(self, name: str) -> Manifest:
        key, command, job = _COMPONENTS[name]
        asked = self._values[key]
        container = self._container(name, ["bash", "-c", f"exec airflow {command}"], asked, jwt=name == "scheduler")
        check = "CONNECTION_CHECK_MAX_COUNT=0 AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR exec /entrypoint "
        probe = {"exec": {"command": ["sh", "-c", f"{check}airflow jobs check --job-type {job} --local\n"]}}
        slow = {"initialDelaySeconds": 10, "timeoutSeconds": 20, "failureThreshold": 5, "periodSeconds": 60}
        container["livenessProbe"] = probe | slow | asked.get("livenessProbe", {})
        if name == "scheduler":
            starting = {"timeoutSeconds": 20, "failureThreshold": 6, "periodSeconds": 10}
            container["startupProbe"] = probe | starting | asked.get("startupProbe", {})
            mount = {"name": "config", "mountPath": _TEMPLATE, "subPath": "pod_template_file.yaml", "readOnly": True}
            container["volumeMounts"].append(mount)
        account = asked.get("serviceAccount", {}).get("name", f"airflow-{name}")
        return _deployment(name, self._waiting(self._pod(account, container, asked), asked))

    def _api_server(self) -> list[Manifest]:
        asked = self._values["apiServer"]
        started = asked.get("args", ["bash", "-c", "exec airflow api-server"])
        container = self._container("api-server", started, asked, jwt=True)
        for kind, delay, failures in (("liveness", 15, 5), ("readiness", 15, 5), ("startup", 0, 6)):
            own = dict(asked.get(f"{kind}Probe", {}))
            get = {"path": "/api/v2/monitor/health", "port": 8080, "scheme": own.pop("scheme", "HTTP")}
            times = {
                "initialDelaySeconds": delay,
                "timeoutSeconds": 20,
                "failureThreshold": failures,
                "periodSeconds": 10,
            }
            container[f"{kind}Probe"] = {"httpGet": get} | times | own
        pod = self._waiting(self._pod("airflow-api-server", container, asked), asked)
        # nobody translates the address of a service here: names lead to the pod itself
        spec = {"clusterIP": "None", "selector": _labels("api-server"), "ports": [{"name": "api-server", "port": 8080}]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": _meta("airflow-api-server"), "spec": spec}
        return [_deployment("api-server", pod), service]

    def _waiting(self, pod: Manifest, asked: Mapping[str, Any]) -> Manifest:
        wait = ["airflow", "db", "check-migrations", "--migration-wait-timeout=60"]
        first = self._container("wait-for-airflow-migrations", wait, asked)
        return pod | {"initContainers": [first, *asked.get("extraInitContainers", ())]}

    def _container(
        self, name: str, args: list[str], asked: Mapping[str, Any], *, jwt: bool = False, security: Any = None
    ) -> Manifest:
        secrets = _SECRETS | (_JWT if jwt else {})
        env = [{"name": key, "valueFrom": {"secretKeyRef": self._key(*place)}} for key, place in secrets.items()]
        mounts = [
            {"name": "logs", "mountPath": f"{HOME}/logs"},
            {"name": "config", "mountPath": f"{HOME}/airflow.cfg", "subPath": "airflow.cfg", "readOnly": True},
        ]
        limits = asked.get("resources", {}).get("limits", {"memory": "2Gi"})
        return {
            "name": name,
            "image": self.image,
            "imagePullPolicy": "Never",
            "args": args,
            "envFrom": yaml.safe_load(self._values["extraEnvFrom"]),
            "env": env + yaml.safe_load(self._values.get("extraEnv", "[]")),
            "securityContext": security or self._values["securityContexts"]["containers"],
            "volumeMounts": mounts + self._values["volumeMounts"] + asked.get("extraVolumeMounts", []),
            "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}, "limits": limits},
        }

    def _pod(self, account: str, container: Manifest, asked: Mapping[str, Any], security: Any = None) -> Manifest:
        volumes = [{"name": "logs", "emptyDir": {}}, {"name": "config", "configMap": {"name": "airflow-config"}}]
        return {
            "serviceAccountName": account,
            "securityContext": security or self._values["securityContexts"]["pod"],
            "containers": [container],
            "volumes": volumes + self._values["volumes"] + asked.get("extraVolumes", []),
        }

    def _key(self, name: str, key: str) -> Manifest:
        data = self._values["data"]
        return {"name": data["metadataSecretName"] if name == "metadata" else self._values[name], "key": key}


def _meta(name: str) -> Manifest:
    return {"name": name, "namespace": NAMESPACE}


def _labels(component: str) -> dict[str, str]:
    return {"tier": "airflow", "component": component, "release": "airflow"}


def _deployment(name: str, pod: Manifest) -> Manifest:
    labels = _labels(name)
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(f"airflow-{name}"), "spec": spec}
