"""What Airflow's providers manager learns about Headwater (`airflow providers list`)."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """The provider metadata Airflow reads through the entry point ``apache_airflow_provider``.

    Imported by every Airflow process at start, so it imports nothing but the version.
    """
    return {
        "package-name": "headwater",
        "name": "Headwater",
        "description": "One YAML file per source becomes a DAG that carries its data to audited Iceberg tables.",
    }
