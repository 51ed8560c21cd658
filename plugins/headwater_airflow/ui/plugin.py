"""The one Airflow plugin of Headwater, registered by entry point (rule 43)."""

from __future__ import annotations

from airflow.sdk.plugins_manager import AirflowPlugin


class HeadwaterPlugin(AirflowPlugin):
    """Headwater's page and its links."""

    name = "headwater"
