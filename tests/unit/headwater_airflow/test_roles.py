"""What each role may do: a decision table over every entity and method of Airflow's auth manager."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.common.types import MenuItem

from headwater_airflow.auth.manager import HeadwaterAuthManager

METHODS: tuple[ResourceMethod, ...] = ("GET", "POST", "PUT", "DELETE")
ROLES = ("viewer", "analyst", "developer")
USERS = {role: SimpleAuthManagerUser(username=role, role=role) for role in ROLES}
MANAGER = HeadwaterAuthManager()  # type: ignore[no-untyped-call]
CHANGES: dict[str, set[tuple[str, DagAccessEntity | None]]] = {
    "viewer": set(),
    "analyst": {("POST", DagAccessEntity.RUN)},
    "developer": {
        ("POST", DagAccessEntity.RUN),
        ("PUT", None),
        ("PUT", DagAccessEntity.RUN),
        ("PUT", DagAccessEntity.TASK_INSTANCE),
        ("PUT", DagAccessEntity.HITL_DETAIL),
    },
}
"""All a role may change; there is no other."""


@pytest.mark.parametrize(("role", "method", "entity"), list(product(ROLES, METHODS, (None, *DagAccessEntity))))
def test_a_dag_is_read_and_of_changes_only_these_are_allowed(
    role: str, method: ResourceMethod, entity: DagAccessEntity | None
) -> None:
    reads = method == "GET" and (entity is not DagAccessEntity.AUDIT_LOG or role == "developer")
    allowed = reads or (method, entity) in CHANGES[role]
    assert MANAGER.is_authorized_dag(method=method, access_entity=entity, user=USERS[role]) is allowed


@pytest.mark.parametrize(("role", "method"), list(product(ROLES, METHODS)))
def test_secrets_and_settings_are_closed_to_all_of_them(role: str, method: ResourceMethod) -> None:
    user = USERS[role]
    assert not MANAGER.is_authorized_connection(method=method, user=user)
    assert not MANAGER.is_authorized_variable(method=method, user=user)
    assert not MANAGER.is_authorized_configuration(method=method, user=user)
    assert not MANAGER.is_authorized_pool(method=method, user=user)
    assert not MANAGER.is_authorized_custom_view(method=method, resource_name="x", user=user)
    assert not MANAGER.is_authorized_team(method=method, user=user)


@pytest.mark.parametrize(("role", "method"), list(product(ROLES, METHODS)))
def test_assets_are_read_only(role: str, method: ResourceMethod) -> None:
    assert MANAGER.is_authorized_asset(method=method, user=USERS[role]) is (method == "GET")
    assert MANAGER.is_authorized_asset_alias(method=method, user=USERS[role]) is (method == "GET")


@pytest.mark.parametrize("role", ROLES)
def test_views_of_the_installation_are_closed(role: str) -> None:
    allowed = {view for view in AccessView if MANAGER.is_authorized_view(access_view=view, user=USERS[role])}
    assert allowed == {AccessView.WEBSITE, AccessView.DOCS, AccessView.IMPORT_ERRORS, AccessView.PLUGINS}


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_offers_no_page_that_answers_403(role: str) -> None:
    offered = set(MANAGER.filter_authorized_menu_items(list(MenuItem), user=USERS[role]))
    more = {MenuItem.AUDIT_LOG, MenuItem.REQUIRED_ACTIONS, MenuItem.XCOMS} if role == "developer" else set()
    assert offered == {MenuItem.DAGS, MenuItem.ASSETS, MenuItem.DOCS} | more


@pytest.mark.parametrize("role", ["user", "op", "admin"])
def test_other_roles_are_airflows_own(role: str) -> None:
    user = SimpleAuthManagerUser(username="u", role=role)
    level = ("user", "op", "admin").index(role)
    assert MANAGER.is_authorized_dag(method="GET", user=user)
    assert MANAGER.is_authorized_dag(method="PUT", user=user)
    assert MANAGER.is_authorized_connection(method="GET", user=user) is (level >= 1)
    assert MANAGER.filter_authorized_menu_items(list(MenuItem), user=user) == list(MenuItem)


@pytest.mark.parametrize("role", [None, "", "Analyst ", "developer,admin"])
def test_a_user_without_a_role_that_exists_may_do_nothing(role: str | None) -> None:
    nobody = SimpleAuthManagerUser(username="n", role=role)
    assert not MANAGER.is_authorized_dag(method="GET", user=nobody)


def test_a_password_that_is_made_for_a_user_is_in_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Logs of the API server are gathered and read by more people than may log in."""
    file = tmp_path / "passwords.json"
    file.write_text(json.dumps({"ann": "ann's own"}))
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "ann:analyst,bob:developer")
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(file))
    HeadwaterAuthManager().init()  # type: ignore[no-untyped-call]  # Airflow declares no types of it
    kept = json.loads(file.read_text())
    said = "".join(capfd.readouterr()) + caplog.text
    assert kept["ann"] == "ann's own"
    assert f"Password for user 'bob': there was none, so one was made; it stands in {file}" in said
    assert kept["bob"] not in said
