"""Runs of a DAG in the demo's Airflow, through its API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

PATIENCE_SECONDS = 300.0


class Runs:
    """Runs of one DAG."""

    def __init__(self, api: httpx.Client, dag: str) -> None:
        self._api, self._path = api, f"/api/v2/dags/{dag}"

    def start(self, **conf: Any) -> str:
        """Trigger one; returns its id."""
        body = {"logical_date": None, "conf": conf}
        return str(self._api.post(f"{self._path}/dagRuns", json=body).raise_for_status().json()["dag_run_id"])

    def task(self, run_id: str, task: str) -> dict[str, Any]:
        """A task instance; one of several is ``task/<map index>``."""
        return self._got(f"{self._run(run_id)}/taskInstances/{task}")

    def is_in(self, state: str, run_id: str, task: str) -> bool:
        """Whether the task instance is in that state; one of several is there only once Airflow has counted them."""
        answer = self._api.get(f"{self._run(run_id)}/taskInstances/{task}")
        return answer.status_code != httpx.codes.NOT_FOUND and answer.raise_for_status().json()["state"] == state

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """All its task instances."""
        found: list[dict[str, Any]] = self._got(f"{self._run(run_id)}/taskInstances")["task_instances"]
        return found

    def log(self, run_id: str, task: str) -> str:
        """What the first try of a task wrote."""
        path, headers = f"{self._run(run_id)}/taskInstances/{task}/logs/1", {"Accept": "application/json"}
        return self._api.get(path, headers=headers).raise_for_status().text

    def state(self, run_id: str) -> str:
        """Of the run."""
        return str(self._got(self._run(run_id))["state"])

    def outcome(self, run_id: str) -> str:
        """Its state when it has ended."""
        until(f"the run {run_id} has ended", lambda: self.state(run_id) in {"success", "failed"})
        return self.state(run_id)

    def end(self, run_id: str) -> None:
        """As an operator who marks it failed."""
        self._api.patch(self._run(run_id), json={"state": "failed"}).raise_for_status()

    def is_there(self) -> bool:
        """Whether Airflow has the DAG by now."""
        return self._api.get(self._path).status_code == httpx.codes.OK

    def _run(self, run_id: str) -> str:
        return f"{self._path}/dagRuns/{quote(run_id, safe='')}"

    def _got(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._api.get(path).raise_for_status().json()
        return found


def until(what: str, holds: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)
