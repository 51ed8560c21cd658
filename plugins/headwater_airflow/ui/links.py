"""Buttons on every task that lead to what readers see and to what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import attrs
from airflow.sdk import BaseOperatorLink
from airflow.sdk import conf as airflow_conf

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

PREFIX = "/headwater"
"""Where the plugin's page is mounted in Airflow's API server."""


def run_page(dag_id: str, run_id: str, what: str) -> str:
    """Address of a run's page; ``what`` is ``release`` or ``incidents``."""
    base = airflow_conf.get("api", "base_url", fallback="").rstrip("/")
    return f"{base}{PREFIX}/runs/{quote(dag_id, safe='')}/{quote(run_id, safe='')}/{what}"


@attrs.define
class ReleaseLink(BaseOperatorLink):
    """What the run made visible."""

    name = "Release"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's form
        """Address of the run's release."""
        return run_page(ti_key.dag_id, ti_key.run_id, "release")


@attrs.define
class IncidentLink(BaseOperatorLink):
    """What went wrong in the run, with the steps that mend it."""

    name = "Incident"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's form
        """Address of the run's incidents."""
        return run_page(ti_key.dag_id, ti_key.run_id, "incidents")
