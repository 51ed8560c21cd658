"""Airflow's simple auth manager with one role more. ``airflow standalone`` ignores it: start the components alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager, SimpleAuthManagerRole

from headwater_airflow.auth.analyst import MENU, ROLE, may_use_dag, may_view

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
    from airflow.api_fastapi.auth.managers.models.resource_details import (
        AccessView,
        AssetAliasDetails,
        AssetDetails,
        DagAccessEntity,
        DagDetails,
        TeamDetails,
    )
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.common.types import MenuItem


class HeadwaterAuthManager(SimpleAuthManager):
    """Users of the role ``analyst`` trigger DAGs and read; every other role is Airflow's own.

    An analyst gets nothing that is not granted here: no connections, variables, pools, configuration, audit log.
    """

    def is_authorized_dag(
        self,
        *,
        method: ResourceMethod,
        user: SimpleAuthManagerUser,
        access_entity: DagAccessEntity | None = None,
        details: DagDetails | None = None,
    ) -> bool:
        """Whether the user may do this to a DAG or to a part of it."""
        if _is_analyst(user):
            team = details.team_name if details else None
            return (team is None or team in user.teams) and may_use_dag(method, access_entity)
        return bool(super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details))

    def is_authorized_asset(
        self, *, method: ResourceMethod, user: SimpleAuthManagerUser, details: AssetDetails | None = None
    ) -> bool:
        """Whether the user may do this to an asset."""
        if _is_analyst(user):
            return method == "GET"
        return bool(super().is_authorized_asset(method=method, user=user, details=details))

    def is_authorized_asset_alias(
        self, *, method: ResourceMethod, user: SimpleAuthManagerUser, details: AssetAliasDetails | None = None
    ) -> bool:
        """Whether the user may do this to an asset alias."""
        if _is_analyst(user):
            return method == "GET"
        return bool(super().is_authorized_asset_alias(method=method, user=user, details=details))

    def is_authorized_view(self, *, access_view: AccessView, user: SimpleAuthManagerUser) -> bool:
        """Whether the user may open a page that is about no single DAG."""
        if _is_analyst(user):
            return may_view(access_view)
        return bool(super().is_authorized_view(access_view=access_view, user=user))

    def is_authorized_team(
        self, *, method: ResourceMethod, user: SimpleAuthManagerUser, details: TeamDetails | None = None
    ) -> bool:
        """Whether the user belongs to the team."""
        if _is_analyst(user):
            return details is not None and details.name in user.teams
        return bool(super().is_authorized_team(method=method, user=user, details=details))

    def filter_authorized_menu_items(
        self, menu_items: list[MenuItem], *, user: SimpleAuthManagerUser
    ) -> list[MenuItem]:
        """The pages the menu offers."""
        return [item for item in menu_items if item in MENU] if _is_analyst(user) else menu_items

    @staticmethod
    def _is_admin(user: SimpleAuthManagerUser) -> bool:
        return not _is_analyst(user) and SimpleAuthManager._is_admin(user)  # noqa: SLF001 - the check it extends

    @staticmethod
    def _is_authorized(
        *,
        method: ResourceMethod,
        allow_role: SimpleAuthManagerRole,
        user: SimpleAuthManagerUser,
        allow_get_role: SimpleAuthManagerRole | None = None,
        team_name: str | None = None,
    ) -> bool:
        """What the rules above do not grant to an analyst is refused."""
        if _is_analyst(user):
            return False
        arguments: dict[str, Any] = {"allow_role": allow_role, "allow_get_role": allow_get_role}
        return bool(
            SimpleAuthManager._is_authorized(  # noqa: SLF001 - the check it extends
                method=method, user=user, team_name=team_name, **arguments
            )
        )


def _is_analyst(user: SimpleAuthManagerUser) -> bool:
    return (user.role or "").lower() == ROLE
