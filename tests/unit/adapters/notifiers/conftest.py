"""Three real causes as incidents, filled from the repository's runbooks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headwater.adapters.runbook_folder import load_runbooks
from headwater.domain.incident import Incident, Link
from headwater.domain.spec import Owner
from headwater.services.incidents.remedy import remedy

RUNBOOKS = load_runbooks(Path(__file__).parents[4] / "include" / "runbooks")
STANDARD = {
    "pipeline": "flights",
    "run_id": "scheduled__2026-11-21",
    "task": "validate_silver",
    "team": "aviation-data",
    "spec_file": "dags/sources/flights.yaml",
    "seen_at": "2026-11-21 12:00 UTC",
    "connection": "flights_db",
    "table": "silver.flights.flights",
}
FACTS = {
    "contract_broken": {
        "rule": "departure delay is possible",
        "column": "dep_delay",
        "count": "42",
        "measured": "42",
        "threshold": "must be 0",
        "examples": "-9999, -9998",
        "held_snapshot": "3821550127947089987",
        "quarantine_table": "quarantine.flights.flights",
        "offending_sql": 'SELECT * FROM "public"."flights" WHERE "dep_delay" < -60;',
    },
    "credentials_refused": {
        "login": "app",
        "host": "db.example:5432",
        "got": 'FATAL: password authentication failed for user "app"',
        "source_tables": "flights, airlines",
        "table_count": "2",
    },
    "schema_drift": {
        "table": "bronze.flights.flights",
        "column": "dep_delay",
        "changes": "column dep_delay vanished, probably renamed to departure_delay",
        "count": "1",
        "known_columns": "20",
        "policy": "stop",
        "relation": "public.flights",
        "fix_sql": 'ALTER TABLE "public"."flights" RENAME COLUMN "departure_delay" TO "dep_delay";',
    },
}


def incident_of(cause: str, **changes: object) -> Incident:
    facts = STANDARD | FACTS[cause]
    words = remedy(RUNBOOKS[cause], facts)
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    draft = Incident(
        id=0,
        kind="held" if cause == "contract_broken" else "failed",
        cause=cause,
        pipeline="flights",
        table=facts["table"],
        title=words.title,
        error_line="what the error said, in one line",
        likely_cause=words.likely_cause,
        steps=words.steps,
        matters_to=("gold.flights.daily_departures (aviation-data)", "gold.delays.by_weather (analytics)"),
        still_visible="silver.flights.flights stays at release r-1 of 2026-11-20 12:00 UTC, 27,004 rows.",
        done_already=("tried 3 times", "kept the last release readable"),
        links=(
            Link(label="run", url="http://airflow.example:8080/dags/flights/runs/x"),
            Link(label="runbook", url=f"include/runbooks/{cause}.md"),
        ),
        facts=facts,
        owner=Owner(team="aviation-data", email=("aviation-data@example.com",), slack="#aviation-data"),
        first_seen=noon,
        last_seen=noon,
    )
    return draft.numbered(7).model_copy(update=changes)


@pytest.fixture(params=sorted(FACTS))
def cause(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def incident(cause: str) -> Incident:
    return incident_of(cause)


@pytest.fixture
def hostile() -> Incident:
    evil = "<!channel> <@U1> & <script>alert(1)</script> | ``` \r\nBcc: all@example.com"
    return incident_of("contract_broken", title=evil, error_line=evil, likely_cause=evil, still_visible=evil)
