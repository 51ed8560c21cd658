"""Three breaks at the real source, each told by an alert whose steps are executed verbatim until the run is green.

What is read is what the mailbox and the webhook received; nothing is taken from Headwater's own store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from tests.demo.delivered_alert import Alert
from tests.demo.served_demo import Demo

from headwater.cli.demo import alerts, source_database, story

pytestmark = pytest.mark.timeout(1500)
FLIGHTS = "select sum(flights) as n from gold.flights.daily_departures"
ALL_FLIGHTS = '"n": 27004'
NEW_PASSWORD = "Ne:w/pass@word%1"
"""With the characters that mean something in a URI."""
GENERIC = re.compile(
    r"\b(check|see|look (at|into)|read|inspect)\b[^.\n]{0,30}\blogs?\b|contact (your|the) admin", re.IGNORECASE
)


def broken_run(demo: Demo, change: Mapping[str, str]) -> Alert:
    """Change the source, run, and read the alert that came of it."""
    before = alerts.arrived(demo.mailbox)
    with demo.source() as source:
        source_database.change(source, change)
    red = demo.shell("uv run headwater run flights --wait --json")
    assert red.returncode == 1, red.stdout + red.stderr
    assert json.loads(red.stdout)["state"] == "failed"
    assert demo.shell("uv run headwater watchdog").returncode == 0
    new = sorted(alerts.arrived(demo.mailbox) - before)
    assert [path.suffix for path in new] == [".eml", ".json"], "one alert of one cause, to each channel"
    return Alert(*new)


def is_complete(alert: Alert, demo: Demo) -> bool:
    """Whom it reaches, what stays visible and for whom; the same steps in every channel; no generic advice."""
    assert alert.to == "aviation-data@example.com"
    assert not GENERIC.search(alert.text), alert.text
    assert "gold.flights.daily_departures (aviation-data)" in alert.text
    assert re.search(
        r"stays at release r-\d{8}T\d{6}-\w+ of \d{4}-\d\d-\d\d \d\d:\d\d UTC", alert.facts["Still visible"]
    )
    assert "kept the last release readable" in alert.text
    for step in alert.steps:
        shown = (step.command or step.sql or step.words).strip()
        assert shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in alert.slack
    assert ALL_FLIGHTS in demo.shell(f'uv run headwater query "{FLIGHTS}" --json').stdout
    logs = (demo.home / "logs" / "airflow").rglob("*.log")
    assert any(f"[Headwater #{alert.number} " in path.read_text(errors="replace") for path in logs), "the console"
    return True


def follow(demo: Demo, alert: Alert, choice: str | None = None, stdin: str = "") -> None:
    """Do what the alert says, and nothing else; the last step is a run, which has to end green."""
    chosen = [step for step in alert.steps if step.choice in {None, choice}]
    for step in chosen:
        assert step.command or step.sql, f"nobody can execute: {step.words}"
        if step.sql:
            with demo.source() as source:
                source.execute(step.sql.encode())
        else:
            done = demo.shell(step.command, stdin)
            assert done.returncode == 0, step.command + done.stdout + done.stderr
    assert "--wait" in chosen[-1].command
    shown = json.loads(demo.shell(f"uv run headwater incidents {alert.number} --json").stdout)
    assert shown["status"] == "closed", shown
    assert demo.open_failures() == []


def test_refused_credentials(demo: Demo) -> None:
    alert = broken_run(demo, {"": f"ALTER ROLE flights_reader PASSWORD '{NEW_PASSWORD}'"})

    assert alert.cause == "credentials_refused"
    assert is_complete(alert, demo)
    assert "flights_db" in alert.subject
    for named in ("flights_reader", "127.0.0.1:", "4 tables", "flights, airlines, airports, planes"):
        assert named in alert.facts["Most likely"]
    follow(demo, alert, stdin=NEW_PASSWORD + "\n")
    written = [path for path in (*demo.mailbox.iterdir(), *(demo.home / "logs").rglob("*")) if path.is_file()]
    assert not [path for path in written if NEW_PASSWORD.encode() in path.read_bytes()]


def test_a_drifted_schema(demo: Demo) -> None:
    """A column is renamed, one gets another type, one is new: each is named, and all are mended."""
    file = demo.repository / "dags" / "sources" / "flights.yaml"
    before = file.read_text()
    newest = "ctid IN (SELECT ctid FROM flights ORDER BY updated_at DESC LIMIT 7)"
    alert = broken_run(
        demo,
        {
            "renamed": "ALTER TABLE flights RENAME COLUMN tailnum TO tail_no",
            "retyped": "ALTER TABLE flights ALTER COLUMN distance TYPE text USING distance::text",
            "new": "ALTER TABLE flights ADD COLUMN gate integer",
            "used": f"UPDATE flights SET gate = 7, updated_at = updated_at + interval '1 minute' WHERE {newest}",
        },
    )

    assert alert.cause == "schema_drift"
    assert is_complete(alert, demo)
    changes = "column tailnum vanished, probably renamed to tail_no; column distance changed from int to text; "
    for named in (
        "public.flights",
        changes + "column gate appeared with type integer",
        "Changes: 3, against the 20 columns",
    ):
        assert named in alert.facts["Most likely"]
    assert "bronze.flights.flights: column tailnum vanished" in alert.subject
    follow(demo, alert)
    assert file.read_text() == before.replace("  flights:\n", "  flights:\n    drift: evolve\n")
    counts = "count(*) AS rows, count(gate) AS gates, count(tailnum) AS tails, sum(distance) AS miles"
    with demo.source() as source:
        there = source.execute(f"SELECT {counts} FROM flights".encode()).fetchone()
    [seen] = json.loads(
        demo.shell(f'uv run headwater query "SELECT {counts} FROM silver.flights.flights" --json').stdout
    )
    assert tuple(int(value) for value in seen.values()) == there
    assert seen["gates"] == 7


def test_a_broken_contract(demo: Demo) -> None:
    chapter = story.read_chapter(demo.home).next_day
    story.write_chapter(demo.home, chapter)
    alert = broken_run(demo, story.broken_batch(chapter))

    assert alert.cause == "contract_broken"
    assert is_complete(alert, demo)
    assert 'silver.flights.flights is held: 25 rows break the rule "distance is positive"' in alert.subject
    for named in ("distance breaks the rule", "measured 25", "distance=-"):
        assert named in alert.facts["Most likely"]
    [selection] = [step.sql for step in alert.steps if step.choice == "A"]
    with demo.source() as source:
        assert source.execute(selection.encode()).rowcount == 25
    follow(demo, alert, choice="B")
    assert ALL_FLIGHTS in demo.shell(f'uv run headwater query "{FLIGHTS}" --json').stdout
