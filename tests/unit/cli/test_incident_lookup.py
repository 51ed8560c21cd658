"""A command about an incident that is closed says so, instead of doing again what it did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.incident_store_under_test import incident_store

from headwater.adapters.incident_store import SqlIncidentStore
from headwater.cli.incident_lookup import Clearing, clearing_of, known_incident, open_incident
from headwater.domain.errors import NotFoundError, RequestError
from headwater.domain.incident import Failure, Incident, IncidentKind
from headwater.domain.spec import Owner

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlIncidentStore]:
    with incident_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def number(store: SqlIncidentStore) -> int:
    failure = Failure(
        pipeline="flights", run_id="r1", task_id="t", kind="held", cause="contract_broken", message="m", seen_at=NOON
    )
    draft = Incident(
        id=0, kind="held", cause="contract_broken", pipeline="flights", table=None, title="t", error_line="e",
        likely_cause="c", steps=(), owner=Owner(team="aviation"), first_seen=NOON, last_seen=NOON,
    )  # fmt: skip
    return store.record(failure, draft, ())[0].id


def test_an_open_incident_is_decided_on(store: SqlIncidentStore, number: int) -> None:
    assert open_incident(store, number, "otherwise").id == number


def test_a_closed_incident_is_refused_with_its_reason_and_the_way_on(store: SqlIncidentStore, number: int) -> None:
    store.close(number, "released by r-1", NOON)
    with pytest.raises(RequestError) as caught:
        open_incident(store, number, "the way on")
    assert caught.value.got == "closed 2026-11-21 12:00 UTC: released by r-1"
    assert caught.value.remedy == "the way on"
    assert known_incident(store, number).status == "closed"


def test_an_unknown_number_is_not_found(store: SqlIncidentStore) -> None:
    for look in (known_incident, lambda store, number: open_incident(store, number, "")):
        with pytest.raises(NotFoundError, match="There is no incident 77"):
            look(store, 77)


def about(pipeline: str, kind: IncidentKind = "failed", **facts: str) -> Incident:
    return Incident(
        id=7, kind=kind, cause="c", pipeline=pipeline, table=None, title="t", error_line="e", likely_cause="c",
        steps=(), owner=Owner(team="aviation"), facts=facts, first_seen=NOON, last_seen=NOON,
    )  # fmt: skip


def test_a_run_of_the_chain_is_cleared_from_its_first_stage_and_one_beside_it_where_it_failed() -> None:
    assert clearing_of(about("flights", run_id="r1")) == Clearing("flights", "r1", ("preflight",))
    compared = about("flights", run_id="r1", dag_id="flights__reconcile")
    assert clearing_of(compared) == Clearing("flights__reconcile", "r1", ())


@pytest.mark.parametrize(
    "incident",
    [
        about("headwater", run_id="2026-11-21T12"),
        about("headwater__maintenance", run_id="r1"),
        about("flights", kind="late", run_id="never released"),
        about("flights"),
    ],
    ids=["installation", "maintenance", "late", "no run"],
)
def test_an_incident_of_no_run_of_a_pipeline_is_not_cleared_but_told_its_steps(incident: Incident) -> None:
    """Airflow has no such run, or one that does other work than it did."""
    with pytest.raises(RequestError, match="Incident 7 is about") as caught:
        clearing_of(incident)
    assert "headwater incidents 7" in str(caught.value.remedy)
