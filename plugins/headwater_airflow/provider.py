"""What Airflow's providers manager learns about Headwater (`airflow providers list`)."""

from __future__ import annotations

from typing import Any

_INTEGRATION = "Headwater"
_OPERATORS = ("closing", "planning", "publishing", "stages", "watchdog")


def get_provider_info() -> dict[str, Any]:
    """The provider metadata Airflow reads through the entry point ``apache_airflow_provider``.

    Every Airflow process calls this when it starts, so it imports nothing.
    """
    return {
        "package-name": "headwater",
        "name": "Headwater",
        "description": "One YAML file per source becomes a DAG that carries its data to audited Iceberg tables.",
        "integrations": [{"integration-name": _INTEGRATION, "tags": ["software"]}],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [f"headwater_airflow.operators.{module}" for module in _OPERATORS],
            }
        ],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["headwater_airflow.hooks.landing"]}],
        "triggers": [{"integration-name": _INTEGRATION, "python-modules": ["headwater_airflow.triggers.lease"]}],
        "notifications": ["headwater_airflow.notifications.outbox.IncidentNotifier"],
        "connection-types": [_landing_folder()],
    }


def _landing_folder() -> dict[str, Any]:
    return {
        "connection-type": "headwater_landing",
        "hook-class-name": "headwater_airflow.hooks.landing.LandingFolderHook",
        "hook-name": "Headwater landing folder",
        "ui-field-behaviour": {
            "hidden-fields": ["host", "schema", "port", "login", "password", "extra"],
            "relabeling": {},
            "placeholders": {"path": "/data/landing"},
        },
        "conn-fields": {
            "path": {
                "label": "Folder",
                "schema": {"type": "string"},
                "description": "Absolute path of the folder the source's files arrive in.",
            }
        },
    }
