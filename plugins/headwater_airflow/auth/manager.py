"""Airflow's simple auth manager with Headwater's roles. ``airflow standalone`` ignores it: start the parts alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager, SimpleAuthManagerRole

from headwater_airflow.auth.roles import ROLES, Role

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
    """``viewer``, ``analyst`` and ``developer`` are what ``roles`` says; every other role is Airflow's own.

    They get nothing that is not granted there: no connections, variables, pools, configuration.
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
        if role := _role(user):
            team = details.team_name if details else None
            return (team is None or team in user.teams) and role.may_use_dag(method, access_entity)
        return bool(super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details))

    def is_authorized_asset(
        self, *, method: ResourceMethod, user: SimpleAuthManagerUser, details: AssetDetails | None = None
    ) -> bool:
        """Whether the user may do this to an asset."""
        if role := _role(user):
            return role.may_use_asset(method)
        return bool(super().is_authorized_asset(method=method, user=user, details=details))

    def is_authorized_asset_alias(
        self, *, method: ResourceMethod, user: SimpleAuthManagerUser, details: AssetAliasDetails | None = None
    ) -> bool:
        """Whether the user may do this to an asset alias."""
        if role := _role(user):
            return role.may_use_asset(method)
        return bool(super().is_authorized_asset_alias(method=method, user=user, details=details))

    def is_authorized_view(self, *, access_view: AccessView, user: SimpleAuthManagerUser) -> bool:
        """Whether the user may open a page that is about no single DAG."""
        if role := _role(user):
            return role.may_view(access_view)
        return bool(super().is_authorized_view(access_view=access_view, user=user))

    def is_authorized_team(
        self, *, method: ResourceMethod, user: SimpleAuthManagerUser, details: TeamDetails | None = None
    ) -> bool:
        """Whether the user belongs to the team."""
        if _role(user):
            return details is not None and details.name in user.teams
        return bool(super().is_authorized_team(method=method, user=user, details=details))

    def filter_authorized_menu_items(
        self, menu_items: list[MenuItem], *, user: SimpleAuthManagerUser
    ) -> list[MenuItem]:
        """The pages the menu offers."""
        role = _role(user)
        return [item for item in menu_items if role is None or item in role.menu]

    @staticmethod
    def _print_output(output: str) -> None:
        """What Airflow says of a user without a password: it makes one, and would write it into the server's log."""
        told, _, _ = output.partition(":")
        file = SimpleAuthManager.get_generated_password_file()
        sys.stdout.write(f"{told}: there was none, so one was made; it stands in {file} and nowhere else\n")

    @staticmethod
    def _is_admin(user: SimpleAuthManagerUser) -> bool:
        return _has_airflows_own(user) and SimpleAuthManager._is_admin(user)  # noqa: SLF001 - the check it extends

    @staticmethod
    def _is_authorized(
        *,
        method: ResourceMethod,
        allow_role: SimpleAuthManagerRole,
        user: SimpleAuthManagerUser,
        allow_get_role: SimpleAuthManagerRole | None = None,
        team_name: str | None = None,
    ) -> bool:
        """What the rules above do not grant to a role is refused, and everything to a role that does not exist."""
        if not _has_airflows_own(user):
            return False
        arguments: dict[str, Any] = {"allow_role": allow_role, "allow_get_role": allow_get_role}
        return bool(
            SimpleAuthManager._is_authorized(  # noqa: SLF001 - the check it extends
                method=method, user=user, team_name=team_name, **arguments
            )
        )


def _role(user: SimpleAuthManagerUser) -> Role | None:
    return ROLES.get((user.role or "").lower())


def _has_airflows_own(user: SimpleAuthManagerUser) -> bool:
    """Airflow fails with a KeyError on a role it does not know; who mistyped one gets nothing, and is told so."""
    return _role(user) is None and (user.role or "").upper() in SimpleAuthManagerRole.__members__
