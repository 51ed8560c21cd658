"""How large a stage's Spark application is, and where on Kubernetes it lives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from headwater.domain.base import Value
from headwater.domain.duration import Duration

StageOfSize = Literal["default", "refine", "build_gold", "validate", "preflight", "maintain"]

_MEMORY = re.compile(r"[1-9]\d{0,5}[mg]")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(?i)secret|password|token|access.?key|credential")


def _memory(value: str) -> str:
    if not _MEMORY.fullmatch(value):
        raise ValueError("memory is a whole number of m or g, such as 1500m or 4g")
    return value


def _kubernetes_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(
            "a name in Kubernetes is up to 63 of a-z, 0-9, - and ., and starts and ends with a letter or digit"
        )
    return value


def _secret_references(value: Mapping[str, str]) -> Mapping[str, str]:
    for name, reference in value.items():
        secret, slash, key = reference.partition("/")
        if not _VARIABLE.fullmatch(name) or not slash or not key or not _NAME.fullmatch(secret):
            raise ValueError(f"{name}: a secret is given as VARIABLE: <name of the Secret>/<its key>")
    return value


def plain_conf(value: Mapping[str, str]) -> Mapping[str, str]:
    """Properties of Spark that may be read by anyone.

    :raises ValueError: for one whose name says that it holds a secret (rule 42), or that is none of Spark's.
    """
    for name in value:
        if _SECRET.search(name):
            raise ValueError(f"{name} holds a secret, and properties are shown in manifests, logs and Spark's pages")
        if not name.startswith("spark."):
            raise ValueError(f"{name} is no property of Spark: those start with spark.")
    return value


Memory = Annotated[str, AfterValidator(_memory)]
KubernetesName = Annotated[str, AfterValidator(_kubernetes_name)]
PlainConf = Annotated[dict[str, str], AfterValidator(plain_conf)]


class StageSize(Value):
    """What one stage's application gets. ``executors`` run beside the driver; memory is of the Java heap."""

    driver_memory: Memory = "2g"
    driver_cores: int = Field(default=1, ge=1, le=64)
    executors: int = Field(default=2, ge=1, le=1000)
    executor_memory: Memory = "2g"
    executor_cores: int = Field(default=1, ge=1, le=64)


class SharedVolume(Value):
    """A claim that drivers and executors mount: the warehouse or the event log, where those are volumes."""

    claim: KubernetesName
    path: str = Field(pattern=r"^/[^:]*$")


class SecretFiles(Value):
    """A Secret whose keys drivers and executors find as files: who signed the certificates of catalog and store."""

    secret: KubernetesName
    path: str = Field(pattern=r"^/[^:]*$")


class KubernetesSettings(Value):
    """Where SparkApplications are made, and what their pods may use."""

    namespace: KubernetesName = "headwater-spark"
    image: str = Field(min_length=1, pattern=r"^\S+$")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    image_pull_secrets: tuple[KubernetesName, ...] = ()
    service_account: KubernetesName = "headwater-spark-driver"
    connection: str | None = None
    """Airflow connection of type ``kubernetes``; None means the account of the task's own pod."""
    volumes: tuple[SharedVolume, ...] = ()
    secret_files: tuple[SecretFiles, ...] = ()
    secret_environment: Annotated[dict[str, str], AfterValidator(_secret_references)] = Field(
        default_factory=lambda: {
            name: f"headwater-stores/{name}"
            for name in ("HEADWATER_CATALOG_JDBC_URI", "HEADWATER_CATALOG_USER", "HEADWATER_CATALOG_PASSWORD")
        }
    )
    """Variable of the driver -> ``<Secret>/<key>`` in its namespace: references only (rule 42)."""
    executor_secret_environment: Annotated[dict[str, str], AfterValidator(_secret_references)] = Field(
        default_factory=dict
    )
    """The same of executors, which read and write files but never ask the catalog."""
    user: int = Field(default=50000, ge=1)
    """User id of the image; never root."""
    keep_for: Duration = timedelta(days=1)
    """How long an application that nobody took the answer of stays to be looked at."""
    deferrable: bool = True
    """Stages wait in the triggerer, which asks the API server by the same connection or its own pod's account."""
