"""The role analyst starts runs and reads; nothing else (decision table over every entity and method)."""

from __future__ import annotations

from itertools import product

import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.common.types import MenuItem

from headwater_airflow.auth.manager import HeadwaterAuthManager

METHODS: tuple[ResourceMethod, ...] = ("GET", "POST", "PUT", "DELETE")
ANALYST = SimpleAuthManagerUser(username="ana", role="analyst")
MANAGER = HeadwaterAuthManager()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(("method", "entity"), list(product(METHODS, (None, *DagAccessEntity))))
def test_of_all_changes_only_a_new_run_is_allowed(method: ResourceMethod, entity: DagAccessEntity | None) -> None:
    reads = method == "GET" and entity is not DagAccessEntity.AUDIT_LOG
    triggers = method == "POST" and entity is DagAccessEntity.RUN
    assert MANAGER.is_authorized_dag(method=method, access_entity=entity, user=ANALYST) is (reads or triggers)


@pytest.mark.parametrize("method", METHODS)
def test_secrets_and_settings_are_closed(method: ResourceMethod) -> None:
    assert not MANAGER.is_authorized_connection(method=method, user=ANALYST)
    assert not MANAGER.is_authorized_variable(method=method, user=ANALYST)
    assert not MANAGER.is_authorized_configuration(method=method, user=ANALYST)
    assert not MANAGER.is_authorized_pool(method=method, user=ANALYST)
    assert not MANAGER.is_authorized_custom_view(method=method, resource_name="x", user=ANALYST)
    assert not MANAGER.is_authorized_team(method=method, user=ANALYST)


@pytest.mark.parametrize("method", METHODS)
def test_assets_are_read_only(method: ResourceMethod) -> None:
    assert MANAGER.is_authorized_asset(method=method, user=ANALYST) is (method == "GET")
    assert MANAGER.is_authorized_asset_alias(method=method, user=ANALYST) is (method == "GET")


def test_views_of_the_installation_are_closed() -> None:
    allowed = {view for view in AccessView if MANAGER.is_authorized_view(access_view=view, user=ANALYST)}
    assert allowed == {AccessView.WEBSITE, AccessView.DOCS, AccessView.IMPORT_ERRORS, AccessView.PLUGINS}


def test_the_menu_offers_no_page_that_answers_403() -> None:
    offered = MANAGER.filter_authorized_menu_items(list(MenuItem), user=ANALYST)
    assert set(offered) == {MenuItem.DAGS, MenuItem.ASSETS, MenuItem.DOCS}


@pytest.mark.parametrize("role", ["viewer", "user", "op", "admin"])
def test_other_roles_are_airflows_own(role: str) -> None:
    user = SimpleAuthManagerUser(username="u", role=role)
    level = ("viewer", "user", "op", "admin").index(role)
    assert MANAGER.is_authorized_dag(method="GET", user=user)
    assert MANAGER.is_authorized_dag(method="PUT", user=user) is (level >= 1)
    assert MANAGER.is_authorized_connection(method="GET", user=user) is (level >= 2)
    assert MANAGER.filter_authorized_menu_items(list(MenuItem), user=user) == list(MenuItem)


def test_a_user_without_a_role_may_do_nothing() -> None:
    nobody = SimpleAuthManagerUser(username="n", role=None)
    assert not MANAGER.is_authorized_dag(method="GET", user=nobody)
