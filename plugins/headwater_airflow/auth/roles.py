"""Roles as code: what people without an installation's secrets and settings in their hands may do in Airflow.

Each role is a value; what it does not name is refused. Airflow's own `op` and `admin` stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.common.types import MenuItem

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod

Change = tuple["ResourceMethod", DagAccessEntity | None]

_START: frozenset[Change] = frozenset({("POST", DagAccessEntity.RUN)})
"""A new run, or a backfill."""
_MEND: frozenset[Change] = frozenset(
    {
        ("PUT", None),  # pause, switch on, ask for the file to be read again
        ("PUT", DagAccessEntity.RUN),  # mark, clear, annotate
        ("PUT", DagAccessEntity.TASK_INSTANCE),
        ("PUT", DagAccessEntity.HITL_DETAIL),  # answer what a task asks
    }
)
"""What a run that went wrong needs. Nothing is deleted, and no XCom is edited."""
_VIEWS = frozenset(
    {
        AccessView.WEBSITE,
        AccessView.DOCS,
        AccessView.IMPORT_ERRORS,
        AccessView.PLUGINS,  # the interface asks for plugins to draw the entry "Headwater"
    }
)
_MENU = frozenset({MenuItem.DAGS, MenuItem.ASSETS, MenuItem.DOCS})
"""Pages that would answer 403 are not offered."""


@dataclass(frozen=True)
class Role:
    """A role.

    :param changes: of a DAG and its parts; everything else about them is read only.
    :param reads_audit_log: who did what is about people, not about data.
    """

    name: str
    changes: frozenset[Change] = frozenset()
    reads_audit_log: bool = False
    menu: frozenset[MenuItem] = _MENU

    def may_use_dag(self, method: ResourceMethod, entity: DagAccessEntity | None) -> bool:
        """Whether the role may do this to a DAG (``entity`` None) or to a part of it."""
        if method == "GET":
            return self.reads_audit_log or entity is not DagAccessEntity.AUDIT_LOG
        return (method, entity) in self.changes

    def may_use_asset(self, method: ResourceMethod) -> bool:
        """Assets are read: an event made by hand would start runs that nothing was published for."""
        return method == "GET"

    def may_view(self, view: AccessView) -> bool:
        """Pages that are about no single DAG."""
        return view in _VIEWS


VIEWER = Role("viewer")
ANALYST = Role("analyst", changes=_START)
DEVELOPER = Role(
    "developer",
    changes=_START | _MEND,
    reads_audit_log=True,
    menu=_MENU | {MenuItem.AUDIT_LOG, MenuItem.REQUIRED_ACTIONS, MenuItem.XCOMS},
)
ROLES = {role.name: role for role in (VIEWER, ANALYST, DEVELOPER)}
