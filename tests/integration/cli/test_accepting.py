"""What follows ``headwater accept``: the held run goes on through Airflow, and its release closes the incident."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from headwater.adapters.memory import MemoryRunStore
from headwater.cli.accepting import go_on
from headwater.domain.errors import AirflowDownError, RunNotGreenError
from headwater.domain.incident import Incident
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.settings import AirflowSettings
from headwater.domain.spec import Owner
from headwater.services.accepting import Acceptance

SILVER, BRONZE = TableName.parse("silver.shop.orders"), TableName.parse("bronze.shop.orders")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HELD_RUN = Acceptance(table=SILVER, run_id="r1", gate="validate_silver")


def released(kind: str, table: TableName, at: datetime) -> Release:
    item = ReleasedTable(table=table, snapshot_id=1, metadata_location="m")
    return Release.model_validate(
        {"id": f"r-{at:%H%M%S}", "run_key": "i/shop/r1", "pipeline": "shop", "kind": kind, "status": "published"}
        | {"created_at": at, "published_at": at, "tables": [item]}
    )


class Airflow(ThreadingHTTPServer):
    """One run that ends as soon as it is looked at; what a clear or a trigger leads to is the test's to say."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, Any]] = []
        self.state = "success"
        self.paused = False
        self.leads_to: Release | None = None
        self.runs = MemoryRunStore()


class Handler(BaseHTTPRequestHandler):
    server: Airflow

    def _answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        if self.command == "POST":
            self.server.asked.append((self.path.rpartition("/")[2], body))
            if self.server.leads_to is not None:
                self.server.runs.save_release(self.server.leads_to)
        run: dict[str, Any] = {"dag_id": "shop", "dag_run_id": "r1", "state": self.server.state, "run_type": "manual"}
        run |= {"queued_at": None, "start_date": None, "end_date": None, "bundle_version": None}
        answer = {**run, "task_instances": [], "is_paused": self.server.paused, "has_import_errors": False}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Silent."""


@dataclass
class Platform:
    """As much of a platform as the command line needs here."""

    airflow: AirflowSettings
    runs: MemoryRunStore
    closed: dict[int, str] = field(default_factory=dict)

    @property
    def settings(self) -> Any:
        return self

    @property
    def incidents(self) -> Any:
        return self

    @property
    def clock(self) -> Any:
        return self

    def now(self) -> datetime:
        return NOW

    def close(self, number: int, why: str, at: datetime) -> None:
        self.closed[number] = why


@pytest.fixture
def airflow() -> Iterator[Airflow]:
    server = Airflow()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def platform(airflow: Airflow) -> Any:
    return Platform(AirflowSettings(base_url=f"http://127.0.0.1:{airflow.server_port}"), airflow.runs)


@pytest.fixture
def incident() -> Incident:
    texts = {"title": "held", "error_line": "held", "likely_cause": "rows"}
    return Incident.model_validate(
        {"id": 7, "kind": "held", "cause": "contract_broken", "pipeline": "shop", "table": SILVER.dotted, "steps": ()}
        | {"owner": Owner(team="sales"), "first_seen": NOW, "last_seen": NOW}
        | texts
    )


def test_the_held_run_is_cleared_from_its_gate_and_the_incident_closed_by_its_release(
    platform: Any, airflow: Airflow, incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.runs.save_release(released("audited", SILVER, NOW - timedelta(days=1)))
    airflow.leads_to = released("audited", SILVER, NOW + timedelta(seconds=5))
    go_on(platform, incident, HELD_RUN, wait=True)
    [(what, body)] = airflow.asked
    assert (what, body["dag_run_id"], body["task_ids"]) == ("clearTaskInstances", "r1", ["validate_silver"])
    assert platform.closed == {7: "accepted, released by r-000005"}
    assert "published in release r-000005: silver.shop.orders" in capsys.readouterr().out


def test_a_run_that_ends_red_closes_nothing(platform: Any, airflow: Airflow, incident: Incident) -> None:
    """An older release of the table is none of this one."""
    airflow.runs.save_release(released("audited", SILVER, NOW - timedelta(days=1)))
    airflow.state = "failed"
    with pytest.raises(RunNotGreenError):
        go_on(platform, incident, HELD_RUN, wait=True)
    assert platform.closed == {}


def test_accepted_bronze_is_out_at_once_and_a_new_run_refines_it(
    platform: Any, airflow: Airflow, incident: Incident
) -> None:
    release = released("bronze", BRONZE, NOW)
    done = Acceptance(table=BRONZE, run_id="r1", gate="validate_bronze", release=release)
    go_on(platform, incident, done, wait=False)
    [(what, body)] = airflow.asked
    assert (what, body["conf"]) == ("dagRuns", {"reason": "bronze.shop.orders was accepted (incident 7)"})
    assert platform.closed == {7: f"accepted, released by {release.id}"}


def test_a_group_that_another_table_closes_does_not_go_on(
    platform: Any, airflow: Airflow, incident: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    other = TableName.parse("silver.shop.customers")
    go_on(platform, incident, HELD_RUN.model_copy(update={"closed_by": (other,)}), wait=True)
    assert (airflow.asked, platform.closed) == ([], {})
    assert "silver.shop.customers" in capsys.readouterr().out


def test_a_paused_dag_is_told_instead_of_waited_for(platform: Any, airflow: Airflow, incident: Incident) -> None:
    airflow.paused = True
    with pytest.raises(AirflowDownError, match="is paused"):
        go_on(platform, incident, HELD_RUN, wait=True)
    assert platform.closed == {}
