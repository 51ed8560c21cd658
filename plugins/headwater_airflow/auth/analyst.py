"""What the role ``analyst`` may do: start runs through the form, and read what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.common.types import MenuItem

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod

ROLE = "analyst"
MENU = frozenset({MenuItem.DAGS, MenuItem.ASSETS, MenuItem.DOCS})
"""Pages that would answer 403 are not offered."""
_VIEWS = frozenset(
    {
        AccessView.WEBSITE,
        AccessView.DOCS,
        AccessView.IMPORT_ERRORS,
        AccessView.PLUGINS,  # the interface asks for plugins to draw the entry "Headwater"
    }
)


def may_use_dag(method: ResourceMethod, entity: DagAccessEntity | None) -> bool:
    """Read everything of a DAG but the audit log of people; of all changes only a new run (or backfill).

    Pausing is PUT on the DAG, clearing and marking are PUT on runs and task instances.
    """
    if method == "GET":
        return entity is not DagAccessEntity.AUDIT_LOG
    return method == "POST" and entity is DagAccessEntity.RUN


def may_view(view: AccessView) -> bool:
    """Pages that are about no single DAG."""
    return view in _VIEWS
