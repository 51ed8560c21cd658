"""A Postgres of the operator, as its users and whoever looks after it see it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import yaml
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.node.database.charts import DATA
from tests.kubernetes.node.database.secrets import password
from tests.kubernetes.node.machine import Node

PATIENCE_SECONDS = 400.0


@dataclass(frozen=True)
class Server:
    """One cluster of the operator.

    :param ca: whom its certificate is asked by.
    """

    cluster: Cluster
    node: Node
    ca: Path
    name: str

    def ready(self) -> Server:
        """Itself, once every instance answers."""
        self.node.processes.wait_for(
            partial(self._has, "Ready"), f"{self.name} is not ready:\n{self._described()}", PATIENCE_SECONDS
        )
        return self

    def archives(self) -> None:
        """Returns once the operator says so."""
        self.node.processes.wait_for(partial(self._has, "ContinuousArchiving"), "nothing is archived", PATIENCE_SECONDS)

    def session(self, login: str, database: str) -> psycopg.Connection:
        """As Headwater signs in: by the name of the service, which the certificate has to have."""
        service = json.loads(self._get(f"service/{self.name}-rw"))
        return psycopg.connect(
            host=f"{self.name}-rw", hostaddr=service["spec"]["clusterIP"], dbname=database, user=login,
            password=password(login), sslmode="verify-full", sslrootcert=str(self.ca), autocommit=True,
        )  # fmt: skip

    def within(self, statement: str, instance: int | None = None) -> str:
        """What psql answers in an instance's pod, in the primary's if none is named."""
        pod = self._seen()["status"]["currentPrimary"] if instance is None else f"{self.name}-{instance}"
        command = ("--", "psql", "--no-align", "--tuples-only", f"--command={statement}")
        return self.cluster.kubectl("exec", pod, f"--namespace={DATA}", "--container=postgres", *command).strip()

    def back_up(self) -> None:
        """As docs/operations/backup-and-restore.md has it, but without the minutes that a checkpoint may take."""
        kind = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Backup"}
        plugin = {"name": "barman-cloud.cloudnative-pg.io"}
        spec = {"cluster": {"name": self.name}, "method": "plugin", "pluginConfiguration": plugin}
        place = {"name": f"of-{self.name}", "namespace": DATA}
        self.cluster.apply([{**kind, "metadata": place, "spec": spec}], dry=False)
        self.node.processes.wait_for(self._backed_up, "the backup does not end", PATIENCE_SECONDS)

    def as_seen(self) -> str:
        """What Kubernetes has of it and of its store, as the guide asks for it."""
        wanted = ("clusters.postgresql.cnpg.io/headwater-postgres", "objectstores/headwater-postgres-backups")
        return self.cluster.kubectl("get", f"--namespace={DATA}", "--output=json", *wanted)

    def restored(self, manifest: str) -> Server:
        """The one that the manifest makes, once it answers."""
        self.cluster.kubectl("apply", "--filename=-", given=manifest)
        return replace(self, name="headwater-postgres-restored").ready()

    def _backed_up(self) -> bool | None:
        for instance in (1, 2):
            self.within("CHECKPOINT", instance)
        status = json.loads(self._get(f"backup/of-{self.name}")).get("status", {})
        assert status.get("phase") != "failed", status
        return True if status.get("phase") == "completed" else None

    def _has(self, condition: str) -> bool | None:
        found = self._seen().get("status", {}).get("conditions", ())
        return True if any((item["type"], item["status"]) == (condition, "True") for item in found) else None

    def _seen(self) -> dict[str, Any]:
        return dict(json.loads(self._get(f"clusters.postgresql.cnpg.io/{self.name}")))

    def _described(self) -> str:
        return yaml.safe_dump(self._seen().get("status"))

    def _get(self, what: str) -> str:
        return self.cluster.kubectl("get", what, f"--namespace={DATA}", "--output=json")
