"""Airflow in pods, as tests ask and follow it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.node.installation.api import Answer, Api
from tests.kubernetes.node.installation.chart import NAMESPACE
from tests.kubernetes.node.installation.outside import Outside
from tests.kubernetes.node.installation.secrets import LOGS
from tests.kubernetes.node.machine import Node

from headwater.adapters.run_store import SqlRunStore

Manifest = dict[str, Any]
OVER = frozenset({"success", "failed", "upstream_failed", "skipped"})
LOOK_SECONDS = 2.0


def items(cluster: Cluster, kinds: str, **labels: str) -> list[Manifest]:
    """What there is of some kinds in Airflow's namespace."""
    chosen = ",".join(f"{key}={value}" for key, value in labels.items())
    text = cluster.kubectl("get", kinds, f"--namespace={NAMESPACE}", f"--selector={chosen}", "--output=json")
    return list(json.loads(text)["items"])


@dataclass(frozen=True)
class AirflowInPods:
    """One installation: what it says, what it has and what it stands on."""

    api: Api
    cluster: Cluster
    node: Node
    outside: Outside

    def pods(self, **labels: str) -> list[Manifest]:
        return items(self.cluster, "pods", **labels)

    def run(self, pod: str, container: str, *command: str) -> str:
        """What a command says in a container, such as ``deploy/airflow-api-server``'s."""
        where = (f"--namespace={NAMESPACE}", pod, f"--container={container}")
        return self.cluster.kubectl("exec", *where, "--", *command)

    def ended(self, dag: str, run: str, task: str, seconds: float = 300.0) -> Answer:
        """A task of a run, once it is over."""

        def look() -> Answer | None:
            found = self.api.tasks(dag, run).get(task)
            return found if found and found["state"] in OVER else None

        return self.node.processes.wait_for(look, f"{task} does not end", seconds, LOOK_SECONDS)

    def follow(self, dag: str, run: str, seconds: float) -> Mapping[str, Answer]:
        """Every task of a run that went well, once all are over; the first that goes wrong is told with its log."""

        def look() -> Mapping[str, Answer] | None:
            found = self.api.tasks(dag, run)
            wrong = next((item for item in found.values() if item["state"] == "failed"), None)
            assert wrong is None, self.log(dag, run, wrong["task_id"], wrong["map_index"], wrong["try_number"])
            return found if all(item["state"] in OVER for item in found.values()) else None

        return self.node.processes.wait_for(look, f"{run} does not end", seconds, LOOK_SECONDS)

    def log(self, dag: str, run: str, task: str, index: int = -1, attempt: int = 1) -> str:
        """What the bucket has of a task's try."""
        mapped = "" if index < 0 else f"/map_index={index}"
        key = f"airflow/dag_id={dag}/run_id={run}/task_id={task}{mapped}/attempt={attempt}.log"
        client = self.outside.stores.s3.client()
        return str(client.get_object(Bucket=LOGS, Key=key)["Body"].read().decode())

    @contextmanager
    def run_store(self) -> Iterator[SqlRunStore]:
        """The installation's own, which tests write what another run would."""
        postgres = self.outside.stores.postgres
        store = SqlRunStore(f"{postgres.url('run_store')}?sslmode=verify-full&sslrootcert={postgres.authority.ca}")
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def job(self, pattern: str, done: Callable[[Manifest], bool]) -> Iterator[str]:
        """The pod of a job that is made by hand of a CronJob, once it is as wanted; gone afterwards."""
        name = f"{pattern}-by-hand"
        self.cluster.kubectl("create", "job", name, f"--from=cronjob/{pattern}", f"--namespace={NAMESPACE}")

        def look() -> str | None:
            for pod in self.pods(**{"batch.kubernetes.io/job-name": name}):
                assert pod["status"]["phase"] != "Failed", self.said(pod["metadata"]["name"])
                if done(pod):
                    return str(pod["metadata"]["name"])
            return None

        try:
            yield self.node.processes.wait_for(look, f"{name} does not come to work")
        finally:
            self.cluster.kubectl("delete", "job", name, f"--namespace={NAMESPACE}", "--wait=false")

    def said(self, pod: str, *more: str) -> str:
        where = (pod, f"--namespace={NAMESPACE}", "--all-containers", *more)
        return self.cluster.kubectl("logs", *where, refused_is_fine=True)
