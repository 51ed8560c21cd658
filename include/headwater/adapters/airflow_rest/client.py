"""The AirflowApi port over REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import JsonValue

from headwater.adapters.airflow_rest.session import AirflowSession
from headwater.domain.errors import NotFoundError
from headwater.domain.settings import AirflowSettings
from headwater.ports.airflow_api import DagRun, DagState, TaskRun

PAGE = 100


class RestAirflowApi:
    """Logs in at the first request; close it, it holds connections.

    :raises AirflowDownError: when the profile has no base URL.
    """

    def __init__(self, settings: AirflowSettings) -> None:
        self._session = AirflowSession(settings)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def dag(self, dag_id: str) -> DagState | None:
        found = self._session.request("GET", f"/dags/{_part(dag_id)}")
        if found is None:
            return None
        return DagState(dag_id=dag_id, is_paused=found["is_paused"], has_import_errors=found["has_import_errors"])

    def runs(self, dag_id: str, states: Sequence[str] = (), limit: int = 25) -> tuple[DagRun, ...]:
        params = {"order_by": "-run_after", "limit": limit, "state": list(states)}
        found = self._session.request("GET", f"/dags/{_part(dag_id)}/dagRuns", params)
        return () if found is None else tuple(_run(item) for item in found["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> DagRun | None:
        found = self._session.request("GET", f"/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}")
        return None if found is None else _run(found)

    def tasks(self, dag_id: str, run_id: str) -> tuple[TaskRun, ...]:
        path = f"/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}/taskInstances"
        tasks: list[TaskRun] = []
        while True:
            found = self._session.request("GET", path, {"limit": PAGE, "offset": len(tasks)})
            page = [] if found is None else found["task_instances"]
            tasks += [_task(item) for item in page]
            if len(page) < PAGE:
                return tuple(tasks)

    def trigger(self, dag_id: str, conf: Mapping[str, JsonValue] | None = None, run_id: str | None = None) -> DagRun:
        body: dict[str, JsonValue] = {"logical_date": None, "conf": dict(conf or {})}
        body |= {} if run_id is None else {"dag_run_id": run_id}
        found = self._session.request("POST", f"/dags/{_part(dag_id)}/dagRuns", body=body)
        return _run(self._known(dag_id, found))

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str] = ()) -> int:
        body: dict[str, JsonValue] = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": not task_ids,
            "reset_dag_runs": True,
            "include_downstream": bool(task_ids),
        }
        # a person who clears has mended something: the files as they are now, not those the run was pinned to
        body |= {"task_ids": list(task_ids), "run_on_latest_version": True} if task_ids else {}
        found = self._session.request("POST", f"/dags/{_part(dag_id)}/clearTaskInstances", body=body)
        return len(self._known(dag_id, found)["task_instances"])

    def unpause(self, dag_id: str) -> None:
        params = {"update_mask": "is_paused"}
        self._known(dag_id, self._session.request("PATCH", f"/dags/{_part(dag_id)}", params, {"is_paused": False}))

    def _known(self, dag_id: str, found: dict[str, Any] | None) -> dict[str, Any]:
        if found is None:
            raise NotFoundError(
                f"Airflow at {self._session.base_url} has no DAG {dag_id} with that run",
                remedy="check the file of the DAG with: headwater validate",
                facts={"what": f"DAG {dag_id}"},
            )
        return found


def _part(text: str) -> str:
    return quote(text, safe="")


def _run(item: Mapping[str, Any]) -> DagRun:
    return DagRun(
        dag_id=item["dag_id"],
        run_id=item["dag_run_id"],
        state=item["state"],
        run_type=item["run_type"],
        queued_at=item["queued_at"],
        started_at=item["start_date"],
        ended_at=item["end_date"],
        bundle_version=item["bundle_version"],
    )


def _task(item: Mapping[str, Any]) -> TaskRun:
    return TaskRun(
        task_id=item["task_id"],
        map_index=item["map_index"],
        try_number=item["try_number"],
        state=item["state"],
        queued_at=item["queued_when"],
        started_at=item["start_date"],
        ended_at=item["end_date"],
    )
