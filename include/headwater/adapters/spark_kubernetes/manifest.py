"""One stage's SparkApplication: a pure function of profile and job. Holds references to secrets, never secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater.adapters.spark_applications.properties import application_properties
from headwater.domain.errors import SpecError
from headwater.domain.job import JobSpec
from headwater.domain.settings import Settings
from headwater.domain.spark_settings import KubernetesSettings, StageSize

GROUP, VERSION, PLURAL = "sparkoperator.k8s.io", "v1beta2", "sparkapplications"
SPARK_VERSION = "4.1.4"
ENTRYPOINT = "local:///opt/spark-jobs/run_application.py"
"""Where the image `spark` has the driver's program."""

Manifest = dict[str, Any]

_UNPRIVILEGED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def application_name(job: JobSpec, key: str) -> str:
    """The object's name: of one attempt only, so that starting it twice is refused by the API server.

    At most 44 characters: Spark puts its own behind it, and cuts at 63.
    """
    return f"{job.pipeline[:18].replace('_', '-').rstrip('-')}-{key[-12:]}-{job.attempt[:12]}"


def spark_application(settings: Settings, job: JobSpec, key: str, arguments: Mapping[str, str]) -> Manifest:
    """The manifest.

    :param key: of the job (``exchange.job_key``).
    :param arguments: of the driver's program.
    :raises SpecError: when the profile has no block `kubernetes`, or a job masks and no Secret is named for its key.
    """
    place, size = settings.spark.kubernetes, settings.spark.size(job.kind)
    if place is None:
        raise SpecError("the profile has no block `spark.kubernetes`", remedy="Add it, at least with `image`.")
    _assert_masking_key(settings, place, job)
    labels = _labels(job, key)
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "SparkApplication",
        "metadata": {
            "name": application_name(job, key),
            "namespace": place.namespace,
            # the operator's metrics carry this one label, and would say Unknown
            "labels": {**labels, "app_type": job.kind},
        },
        "spec": {
            "type": "Python",
            "pythonVersion": "3",
            "mode": "cluster",
            "sparkVersion": SPARK_VERSION,
            "image": place.image,
            "imagePullPolicy": place.image_pull_policy,
            **({"imagePullSecrets": list(place.image_pull_secrets)} if place.image_pull_secrets else {}),
            "mainApplicationFile": ENTRYPOINT,
            "arguments": [part for name, value in arguments.items() for part in (f"--{name}", value)],
            # a try is Airflow's: the operator's own would work with an attempt that was used (rule 2)
            "restartPolicy": {"type": "Never"},
            "timeToLiveSeconds": int(place.keep_for.total_seconds()),
            "sparkConf": application_properties(settings, key, job.attempt) | settings.spark.conf,
            **_volumes(place),
            "driver": _driver(place, size, labels),
            "executor": _executor(place, size, labels),
        },
    }


def _labels(job: JobSpec, key: str) -> dict[str, str]:
    """What an application and its pods are found by."""
    return {
        "app.kubernetes.io/name": "headwater-stage",
        "app.kubernetes.io/managed-by": "headwater",
        "headwater.io/pipeline": job.pipeline[:63].rstrip("_"),
        "headwater.io/stage": job.kind,
        "headwater.io/job": key[-12:],
        "headwater.io/attempt": job.attempt,
    }


def _driver(place: KubernetesSettings, size: StageSize, labels: Mapping[str, str]) -> Manifest:
    return {
        "cores": size.driver_cores,
        "memory": size.driver_memory,
        "serviceAccount": place.service_account,
        **_pod(place, labels, place.secret_environment),
    }


def _executor(place: KubernetesSettings, size: StageSize, labels: Mapping[str, str]) -> Manifest:
    return {
        "instances": size.executors,
        "cores": size.executor_cores,
        "memory": size.executor_memory,
        **_pod(place, labels, place.executor_secret_environment),
    }


def _pod(place: KubernetesSettings, labels: Mapping[str, str], secrets: Mapping[str, str]) -> Manifest:
    mounts: list[Manifest] = [{"name": _volume(item.claim), "mountPath": item.path} for item in place.volumes]
    mounts += [{"name": _volume(item.secret), "mountPath": item.path, "readOnly": True} for item in place.secret_files]
    return {
        "labels": dict(labels),
        "env": [_from_secret(name, reference) for name, reference in secrets.items()],
        "podSecurityContext": {
            "runAsNonRoot": True,
            "runAsUser": place.user,
            "runAsGroup": 0,
            "fsGroup": 0,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "securityContext": _UNPRIVILEGED,
        **({"volumeMounts": mounts} if mounts else {}),
    }


def _volumes(place: KubernetesSettings) -> Manifest:
    claims = [(item.claim, {"persistentVolumeClaim": {"claimName": item.claim}}) for item in place.volumes]
    secrets = [(item.secret, {"secret": {"secretName": item.secret}}) for item in place.secret_files]
    made = [{"name": _volume(name), **source} for name, source in (*claims, *secrets)]
    return {"volumes": made} if made else {}


def _volume(name: str) -> str:
    return name.replace(".", "-")


def _from_secret(name: str, reference: str) -> Manifest:
    secret, _, key = reference.partition("/")
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _assert_masking_key(settings: Settings, place: KubernetesSettings, job: JobSpec) -> None:
    variable = f"AIRFLOW_CONN_{settings.masking_connection.upper()}"
    if job.masks and variable not in place.secret_environment:
        raise SpecError(
            "a stage masks columns, and its driver would have no masking key",
            got=", ".join(place.secret_environment) or "no secret_environment",
            allowed=f"{variable}: <Secret>/<key> in spark.kubernetes.secret_environment",
            remedy="Put the connection's URI into a Secret of the namespace of Spark, and name it there.",
        )
