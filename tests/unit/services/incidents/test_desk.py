"""A failure becomes an incident that names the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from headwater.domain.incident import Failure
from headwater.domain.lineage import SourcePlace
from headwater.domain.names import TableName
from headwater.domain.spec import SourceSpec
from headwater.services.incidents.desk import IncidentDesk
from headwater.services.incidents.offending import offending_rows

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTRACT_FACTS = {
    "rule": "delay is possible",
    "column": "departure_delay",
    "count": "42",
    "measured": "42",
    "threshold": "must be 0",
    "examples": "-9999, -9998",
    "predicate": "departure_delay < -60",
    "held_snapshot": "17",
    "quarantine_table": "quarantine.flights.flights",
}


def failed(cause: str, **changes: object) -> Failure:
    base = Failure(
        pipeline="flights",
        run_id="scheduled__2026-11-21",
        task_id="validate_silver:silver.flights.flights",
        kind="held",
        cause=cause,
        table="silver.flights.flights",
        message="42 rows break the rule\nsecond line",
        facts=CONTRACT_FACTS,
        seen_at=NOON,
    )
    return base.model_copy(update=changes)


def test_a_broken_contract_names_rule_count_and_the_offending_rows(desk: IncidentDesk) -> None:
    incident, new = desk.report(failed("contract_broken"))
    assert new
    assert incident.title == 'silver.flights.flights is held: 42 rows break the rule "delay is possible"'
    assert "departure_delay" in incident.likely_cause
    assert "-9999" in incident.likely_cause
    assert incident.error_line == "42 rows break the rule"
    assert [step.choice for step in incident.steps] == [None, "A", "B", "C", None]
    assert incident.steps[1].sql == 'SELECT * FROM "public"."flights" WHERE "dep_delay" < -60;'
    assert incident.steps[1].connection == "flights_db"
    assert incident.steps[2].command == (f'uv run headwater discard {incident.id} --reason "offending rows set aside"')
    assert incident.facts["run_id"] == "scheduled__2026-11-21"
    assert incident.facts["task"] == "validate_silver"
    assert "kept the staged data of the table, held and unpublished" in incident.done_already


def test_rows_released_before_their_rule_are_set_aside_by_a_rebuild(desk: IncidentDesk) -> None:
    """Rule 21: a discard does not reach rows that are in no held batch."""
    known = failed("contract_broken")
    facts = known.facts | {"rebuilt_table": "silver.flights.flights"}
    incident, _ = desk.report(known.model_copy(update={"facts": facts}))
    assert incident.steps[2].choice == "B"
    assert incident.steps[2].command == "uv run headwater rebuild silver.flights.flights --wait"
    assert not [step for step in incident.steps if "discard" in (step.command or "")]


def test_steps_promise_no_way_out_that_is_not_there(desk: IncidentDesk) -> None:
    """Rule 21: nothing was staged of an extract that lost too much, so there is nothing to set aside or accept."""
    facts = {"table": "silver.flights.flights", "table_name": "flights", "setting": "max_delete_share: 0.28"}
    facts |= {"missing_sql": 'SELECT "no" FROM bronze.flights.flights'}
    incident, _ = desk.report(failed("extract_shrunk", facts=facts))
    commands = [step.command or "" for step in incident.steps]
    assert commands[0] == "uv run headwater query 'SELECT \"no\" FROM bronze.flights.flights'"
    assert not [command for command in commands if "discard" in command or "accept" in command]
    assert "`max_delete_share: 0.28`" in incident.steps[2].text
    assert incident.steps[-1].command == "uv run headwater run flights --wait"
    assert "kept the staged data of the table, held and unpublished" not in incident.done_already


def test_links_point_to_run_table_and_runbook(desk: IncidentDesk) -> None:
    incident, _ = desk.report(failed("contract_broken", log_url="http://airflow.example:8080/log"))
    links = {link.label: link.url for link in incident.links}
    assert links == {
        "run": "http://airflow.example:8080/dags/flights/runs/scheduled__2026-11-21",
        "log": "http://airflow.example:8080/log",
        "table": "http://airflow.example:8080/assets?name_pattern=silver.flights.flights",
        "runbook": "include/runbooks/contract_broken.md",
    }


def test_secrets_are_masked_before_anything_is_stored(make_desk: Callable[..., IncidentDesk]) -> None:
    desk = make_desk("hunter2secret")
    facts = {"connection": "flights_db", "login": "app", "host": "db", "got": "postgresql://app:hunter2secret@db"}
    failure = failed("credentials_refused", message="login with hunter2secret refused", facts=facts)
    incident, _ = desk.report(failure)
    (seen,) = desk.store.failures_seen("flights", failure.run_id)
    assert "hunter2secret" not in incident.model_dump_json() + seen.model_dump_json()


def test_a_relation_that_may_not_be_read_is_granted_in_the_sql_of_its_source(desk: IncidentDesk) -> None:
    told = replace(desk, places={"flights_db": SourcePlace(platform="mysql", database="reg")})
    facts = {"login": "o`b", "host": "db", "relation": "reg.planes", "got": "denied"}
    incident, _ = told.report(failed("not_permitted", kind="failed", table="bronze.flights.planes", facts=facts))
    assert str(incident.steps[0].sql).startswith("GRANT SELECT ON `reg`.`planes` TO `o``b`@`%`;")


def test_the_error_line_is_bounded(desk: IncidentDesk) -> None:
    incident, _ = desk.report(failed("unknown", message="x" * 5000))
    assert len(incident.error_line) == 300


def test_a_cause_without_runbook_is_still_an_alert(desk: IncidentDesk) -> None:
    incident, _ = desk.report(failed("invented_by_a_plugin"))
    assert incident.cause == "invented_by_a_plugin"
    assert incident.steps


def test_an_owner_without_mail_is_told_through_the_other_channels(desk: IncidentDesk) -> None:
    desk.report(failed("contract_broken", pipeline="no_such_pipeline"))
    assert {item.channel for item in desk.store.due(NOON)} == {"console", "slack"}


def test_a_task_that_fails_for_its_reported_table_is_no_second_incident(desk: IncidentDesk) -> None:
    first, _ = desk.report(failed("source_data", kind="failed", task_id="extract_to_bronze"))
    again, new = desk.report(failed("source_data", kind="failed", task_id="extract_to_bronze", table=None))
    assert (again.id, new) == (first.id, False)


def test_tries_and_quarantined_rows_are_told_as_done(desk: IncidentDesk) -> None:
    incident, _ = desk.report(failed("source_data", try_number=3, facts={"quarantined": "12"}))
    assert incident.done_already[:2] == ("tried 3 times", "put 12 rows into quarantine")


@pytest.mark.parametrize(
    ("table", "predicate", "expected"),
    [
        ("silver.flights.flights", "dist > 5", 'SELECT * FROM "public"."flights" WHERE ("dist" * 1.6) > 5;'),
        ("bronze.flights.flights", "dist > 5", 'SELECT * FROM "public"."flights" WHERE "dist" > 5;'),
        (
            "silver.flights.planes",
            "NOT year <=> 1",
            'SELECT * FROM "reg"."planes" WHERE NOT "year" IS NOT DISTINCT FROM 1;',
        ),
        ("silver.flights.flights", "_hw_batch = 1", None),
        ("silver.flights.flights", "this is ( no SQL", None),
        ("gold.flights.daily", "n < 0", None),
    ],
)
def test_offending_rows_are_selected_in_the_sources_own_columns(
    desk: IncidentDesk, table: str, predicate: str, expected: str | None
) -> None:
    spec = desk.specs["flights"]
    assert isinstance(spec, SourceSpec)
    place = SourcePlace(platform="postgres", schema_name="public")
    assert offending_rows(spec, TableName.parse(table), predicate, place) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (SourcePlace(platform="mysql", database="shop"), "SELECT * FROM `shop`.`flights` WHERE (`dist` * 1.6) > 5;"),
        (SourcePlace(platform="sqlite", database="shop.db"), 'SELECT * FROM "flights" WHERE ("dist" * 1.6) > 5;'),
        (SourcePlace(platform="mssql", schema_name="dbo"), "SELECT * FROM [dbo].[flights] WHERE ([dist] * 1.6) > 5;"),
        (SourcePlace(platform="oracle", schema_name="app"), 'SELECT * FROM "APP"."FLIGHTS" WHERE ("dist" * 1.6) > 5;'),
        (None, 'SELECT * FROM "flights" WHERE ("dist" * 1.6) > 5;'),
    ],
)
def test_offending_rows_are_selected_in_the_sources_own_sql(
    desk: IncidentDesk, place: SourcePlace | None, expected: str
) -> None:
    """The statement is run as it stands: MySQL takes a name in double quotes for a text."""
    spec = desk.specs["flights"]
    assert isinstance(spec, SourceSpec)
    assert offending_rows(spec, TableName.parse("silver.flights.flights"), "dist > 5", place) == expected


def test_an_alert_names_the_relation_as_its_source_does(desk: IncidentDesk) -> None:
    told = replace(desk, places={"flights_db": SourcePlace(platform="mysql", database="shop")})
    failure = failed("source_data", table="bronze.flights.flights", facts={"got": "g", "allowed": "a"})
    incident, _ = told.report(failure)
    assert "shop.flights" in incident.likely_cause


def test_requests_that_got_different_things_wrong_are_incidents_of_their_own(desk: IncidentDesk) -> None:
    """Else the second person's request would count up what the first was told."""

    def asked(run_id: str, got: str) -> int:
        message = "parameter tables does not fit"
        plan = failed("request_invalid", run_id=run_id, table=None, kind="failed", message=message)
        return desk.report(plan.model_copy(update={"facts": {"got": got, "allowed": "flights"}}))[0].id

    first = asked("r1", "flihgts")
    assert asked("r2", "plains\0" + "x" * 4000) != first
    assert asked("r3", "flihgts") == first
    assert sorted(item.count for item in desk.store.list("open")) == [1, 2]
    assert desk.store.get(first).title.endswith("may not do: flihgts")  # type: ignore[union-attr]
