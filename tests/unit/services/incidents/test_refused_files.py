"""Files that give no DAG are told to the platform team."""

from __future__ import annotations

from typing import Protocol

from headwater.domain.errors import Location, SpecError
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.watchdog import run_watchdog


class Clock(Protocol):
    def pass_by(self, **span: float) -> None: ...


def wrong(file: str) -> SpecError:
    return SpecError("unknown key", Location(f"dags/sources/{file}", 3, "keyy"), got="keyy", allowed="key")


def test_files_that_give_no_dag_are_one_incident_until_all_load(desk: IncidentDesk, clock: Clock) -> None:
    """Nobody is told of an import error by Airflow, and whom it is about stands in the file that cannot be read."""
    assert run_watchdog(desk, None, {}, refused=[wrong("a.yaml"), wrong("a.yaml")]).refused == 1
    clock.pass_by(minutes=1)
    run_watchdog(desk, None, {}, refused=[wrong("a.yaml"), wrong("a.yaml")])
    (incident,) = desk.store.list("open")
    assert (incident.cause, incident.owner.team, incident.count) == ("files_refused", "platform", 1)
    assert incident.title == "The repository has files that cannot be used: dags/sources/a.yaml"
    assert "dags/sources/a.yaml:3: keyy: unknown key" in incident.likely_cause
    clock.pass_by(minutes=1)
    run_watchdog(desk, None, {}, refused=[wrong("b.yaml")])
    (incident,) = desk.store.list("open")
    assert (incident.count, "b.yaml" in incident.title) == (2, True)
    run_watchdog(desk, None, {})
    assert len(desk.store.list("open")) == 1, "a person's checkout says nothing of what is served"
    run_watchdog(desk, None, {}, refused=())
    assert desk.store.list("open") == ()
