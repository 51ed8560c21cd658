"""What Airflow serves of which commit: DAG versions, import errors, and the asking for a fresh look."""

from __future__ import annotations

from urllib.parse import quote

from headwater.adapters.airflow_rest.session import AirflowSession
from headwater.domain.base import Value
from headwater.domain.errors import NotFoundError
from headwater.domain.settings import AirflowSettings


class DagVersion(Value):
    """A version of a DAG as Airflow counts them: a new one whenever what it serialises changed."""

    number: int
    bundle: str | None
    commit: str | None


class Deployments:
    """Read from Airflow's REST API; close it, it holds connections.

    :raises AirflowDownError: when the profile has no base URL.
    """

    def __init__(self, settings: AirflowSettings) -> None:
        self._session = AirflowSession(settings)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def versions(self, dag_id: str) -> tuple[DagVersion, ...]:
        """Newest first; nothing for a DAG Airflow does not know."""
        params = {"order_by": "-version_number"}
        found = self._session.request("GET", f"/dags/{_part(dag_id)}/dagVersions", params) or {"dag_versions": []}
        return tuple(
            DagVersion(number=item["version_number"], bundle=item["bundle_name"], commit=item["bundle_version"])
            for item in found["dag_versions"]
        )

    def import_errors(self, bundle: str) -> dict[str, str]:
        """File -> why it does not load, of one bundle."""
        found = self._session.request("GET", "/importErrors", {"limit": 100}) or {"import_errors": []}
        return {
            item["filename"]: item["stack_trace"] for item in found["import_errors"] if item["bundle_name"] == bundle
        }

    def look_again(self, dag_id: str) -> None:
        """Ask Airflow to refresh the DAG's bundle and read its file now, not at the next interval.

        :raises NotFoundError: when Airflow does not know the DAG.
        """
        found = self._session.request("GET", f"/dags/{_part(dag_id)}/details")
        if found is None:
            raise NotFoundError("Airflow does not know this DAG.", got=dag_id)
        self._session.request("PUT", f"/parseDagFile/{_part(found['file_token'])}")

    def pause(self, dag_id: str) -> None:
        """No further task of any of its runs starts until the DAG is unpaused."""
        self._session.request("PATCH", f"/dags/{_part(dag_id)}", {"update_mask": "is_paused"}, {"is_paused": True})


def _part(text: str) -> str:
    return quote(text, safe="")
