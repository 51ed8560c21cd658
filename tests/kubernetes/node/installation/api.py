"""Airflow's REST API, asked from the node."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx

Answer = dict[str, Any]


class Api:
    """Signed in as one user.

    :param address: of the API server's pod. Its certificate is for the name of the service, which pods can look up.
    """

    def __init__(self, address: str, ca: Path, user: str, password: str) -> None:
        trusting = ssl.create_default_context(cafile=str(ca))
        trusting.check_hostname = False
        self._http = httpx.Client(base_url=f"https://{address}:8080", verify=trusting, timeout=60)
        token = self._http.post("/auth/token", json={"username": user, "password": password}).raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> Answer:
        found: Answer = self._http.get(f"/api/v2/{path}").raise_for_status().json()
        return found

    def switch(self, dag: str, *, on: bool) -> None:
        self._http.patch(f"/api/v2/dags/{dag}", json={"is_paused": not on}).raise_for_status()

    def trigger(self, dag: str) -> str:
        """The id of a run that was started; the DAG is switched on."""
        self.switch(dag, on=True)
        made = self._http.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None}).raise_for_status()
        return str(made.json()["dag_run_id"])

    def runs(self, dag: str) -> list[str]:
        """Their ids."""
        return [str(item["dag_run_id"]) for item in self.get(f"dags/{dag}/dagRuns")["dag_runs"]]

    def tasks(self, dag: str, run: str) -> dict[str, Answer]:
        """Each task's instance by its id, with the map index where there are several."""
        found = self.get(f"dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return {f"{item['task_id']}{'' if item['map_index'] < 0 else item['map_index']}": item for item in found}
