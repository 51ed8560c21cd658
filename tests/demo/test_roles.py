"""Every address of Airflow's REST API for every role, and for nobody: what is not granted here is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.demo.served_demo import Demo

pytestmark = pytest.mark.timeout(1500)

ROLES = ("viewer", "analyst", "developer")
ANYBODY = {"/monitor/health", "/version", "/auth/login", "/auth/logout"}
"""Open without a login: whether it lives, which version it is, and the way to the login."""
CLOSED_READS = re.compile(r"/(connections(?!/enqueue-test)|variables|pools|config|jobs|providers|teams)\b")
"""Secrets, settings and the machinery, closed to all three roles. A test's result is read by the token it gave."""
AUDIT_LOG = re.compile(r"/eventLogs")
LIKE_READS = re.compile(r"post /dags/{dag_id}(/dagRuns/{dag_run_id}/taskInstances/list|/dagRuns/list|/(un)?favorite)")
"""Searches that take a body, and a person's own stars."""
START = re.compile(r"post (/dags/{dag_id}/dagRuns|/backfills|/backfills/dry_run)")
MEND = re.compile(
    r"patch /dags(/{dag_id})?"
    r"|patch /dags/{dag_id}/dagRuns/{dag_run_id}(/task(Group)?Instances(/.*)?)?"
    r"|post /dags/{dag_id}/(clearTaskInstances|clearDagRuns|clearPartitions|dagRuns/{dag_run_id}/clear)"
    r"|(put|patch) .*/taskInstances/{task_id}/state-store/{key}"
)
NEVER = re.compile(r"patch .*/xcomEntries/.*")
NAMED = re.compile(r"put (/backfills/{backfill_id}/.*|/parseDagFile/{file_token})")
"""Judged by what the id names, and not found before that where it names nothing."""
BODIES: dict[str, Any] = {
    "patch /connections": {"actions": [{"action": "delete", "entities": ["none"]}]},
    "patch /pools": {"actions": [{"action": "delete", "entities": ["none"]}]},
    "patch /variables": {"actions": [{"action": "delete", "entities": ["none"]}]},
    "patch /dags/{dag_id}/dagRuns": {"actions": [{"action": "delete", "entities": ["none"]}]},
    "post /dags/{dag_id}/clearDagRuns": {"dag_runs": [{"dag_run_id": "none"}]},
    "post /connections/enqueue-test": {"connection_id": "none", "conn_type": "http"},
}
"""Judged by their body; every other request is sent without one, so that a granted change changes nothing."""


def granted(role: str, call: str) -> bool:
    """Whether a role may do this; a write that nobody thought of is refused to all."""
    path = call.partition(" ")[2]
    if call.startswith("get "):
        return not CLOSED_READS.search(path) and (role == "developer" or not AUDIT_LOG.search(path))
    if LIKE_READS.fullmatch(call):
        return True
    if START.fullmatch(call):
        return role != "viewer"
    return role == "developer" and bool(MEND.fullmatch(call)) and not NEVER.fullmatch(call)


def calls(demo: Demo) -> Iterator[tuple[str, str, str]]:
    """(method and path as Airflow declares it, method, path with ids of nothing)."""
    paths = httpx.get(f"{demo.address}/openapi.json", timeout=30).json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            call = f"{method} {path.removeprefix('/api/v2')}"
            yield call, method.upper(), re.sub(r"{[^}]*}", "1", path)


def test_nobody_without_a_login_sees_anything(demo: Demo) -> None:
    with httpx.Client(base_url=demo.address, timeout=30) as nobody:
        found = {call: nobody.request(method, path).status_code for call, method, path in calls(demo)}
        assert {call.partition(" ")[2] for call, status in found.items() if status != 401} == ANYBODY
        for page in ("/", "/runs/flights/1/release", "/runs/flights/1/incidents", "/releases/1", "/incidents/1"):
            assert nobody.get(f"/headwater{page}").status_code == 401, page


def test_a_persons_token_opens_nothing_of_what_workers_use(demo: Demo) -> None:
    """Connections with their passwords go to tasks only, whose tokens are signed for them."""
    with demo.logged_in("developer") as developer, httpx.Client(base_url=demo.address, timeout=30) as nobody:
        for path in ("connections/flights_db", "variables/any", "xcoms/flights/1/plan_run/return_value"):
            assert {who.get(f"/execution/{path}").status_code for who in (nobody, developer)} <= {401, 403}, path


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_is_granted_and_nothing_else(demo: Demo, role: str) -> None:
    with demo.logged_in(role) as person:
        wrong = []
        for call, method, path in calls(demo):
            if NAMED.fullmatch(call) or call.partition(" ")[2] in ANYBODY:
                continue
            status = person.request(method, path, json=BODIES.get(call)).status_code
            if (status != 403) is not granted(role, call) or status in {401, 500}:
                wrong.append((call, status))
        assert not wrong
        token = person.get("/api/v2/dags/flights/details").json()["file_token"]
        read_again = person.put(f"/api/v2/parseDagFile/{token}").status_code
        assert read_again == (201 if role == "developer" else 403)
