"""Rule 14 over the real chain: what destroys something is built in a new physical table, swapped in at publish."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.adapters.clock import SystemClock
from headwater.adapters.duckdb.query import query
from headwater.domain.names import TableName
from headwater.domain.release import Release
from headwater.services.changes import planned_changes
from headwater.services.rollback import rollback

Installation = Any

pytestmark = pytest.mark.timeout(900)

YAML, GOLD_SQL = "dags/sources/flights.yaml", "sql/gold/flights/daily_departures.sql"
CONTRACT = "include/contracts/silver/flights/flights.yml"
FIXTURE = "tests/sources/flights/daily_departures.yml"
FLIGHTS, AIRPORTS, GOLD = "silver.flights.flights", "silver.flights.airports", "gold.flights.daily_departures"


class Over:
    def is_terminal(self, run_key: object) -> bool:
        return True


def rows(installation: Installation, table: str, release: Release | None = None) -> list[dict[str, Any]]:
    releases = (release,) if release else installation.fresh().runs.current()
    sql = f"SELECT * FROM {table} ORDER BY ALL"
    return query(sql, releases, installation.settings.catalog.warehouse).objects()


def edit(installation: Installation, file: str, old: str, new: str) -> None:
    path = installation.repository / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def assert_green(states: dict[str, str]) -> None:
    assert set(states.values()) == {"success"}, states


def audited(installation: Installation) -> Release:
    found: Release = next(r for r in installation.fresh().runs.current() if r.kind in {"audited", "rollback"})
    return found


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def change_everything(installation: Installation) -> None:
    """Silver from upsert to scd2, a column of silver renamed, a column of gold gone; each acknowledged."""
    edit(
        installation,
        YAML,
        "    silver: {mode: upsert, sequence_by: updated_at}\n",
        "    silver: {mode: scd2, sequence_by: updated_at}\n    acknowledge: [{change: silver.mode, was: upsert}]\n",
    )
    edit(
        installation,
        YAML,
        "    key: [faa]\n",
        "    key: [faa]\n    columns: {name: {rename: title}}\n"
        "    acknowledge: [{change: columns.name.rename, was: null}]\n",
    )
    edit(installation, CONTRACT, "  - duplicate: {columns: [origin, time_hour, carrier, flight]}\n", "")
    edit(installation, GOLD_SQL, "AS rank_at_origin", "AS place")
    edit(installation, FIXTURE, "rank_at_origin", "place")
    platform = installation.fresh()
    changes = planned_changes(platform, platform.model.load("flights"))
    (sql,) = [change for change in changes if change.is_open]
    assert "lost: the columns rank_at_origin" in sql.text
    edit(installation, YAML, "    mode: rebuild\n", f"    mode: rebuild\n    {sql.acknowledgement}\n")


def test_acknowledged_losses_are_swapped_in_whole_and_the_next_run_goes_on(released: Installation) -> None:
    """Killed and run again; readers have the old tables until the publish, and of old releases after."""
    before, old = audited(released), {name: rows(released, name) for name in (FLIGHTS, AIRPORTS, GOLD)}
    change_everything(released)
    killed = released.process("flights", "two", failpoint="gold.after_write")
    assert killed.returncode != 0
    assert {name: rows(released, name) for name in old} == old
    assert_green(released.run("flights", "two"))
    named = [{**without(row, "title"), "name": row["title"]} for row in rows(released, AIRPORTS)]
    assert {row["faa"]: without(row, "batch_in") for row in named} == {
        row["faa"]: without(row, "batch_in") for row in old[AIRPORTS]
    }
    history = ("valid_from", "valid_to", "is_current", "batch_in", "batch_out")
    assert [without(row, *history) for row in rows(released, FLIGHTS)] == old[FLIGHTS]
    assert all(row["is_current"] for row in rows(released, FLIGHTS))
    assert [without(row, "place") for row in rows(released, GOLD)] == [
        without(row, "rank_at_origin") for row in old[GOLD]
    ]
    assert {name: rows(released, name, before) for name in old} == old, "rule 19: an old release is as it was"

    platform = released.fresh()
    for name in old:
        table = TableName.parse(name)
        assert [found.is_replaced for found in platform.catalog.physical_tables(table)] == [True]
        head = platform.catalog.head(table)
        assert head is not None
        assert (head.branches, head.state.generation if head.state else 0) == ({}, 1)
    assert planned_changes(platform, platform.model.load("flights")) == ()

    released.source("UPDATE flights SET dep_delay = 77, updated_at = '2014-01-01' WHERE flight % 5 = 0")
    assert_green(released.run("flights", "three"))
    versions = rows(released, FLIGHTS)
    assert len(versions) > len(old[FLIGHTS])
    assert sum(row["is_current"] for row in versions) == len(old[FLIGHTS])

    key = f"{platform.runs.installation()}/flights/back"
    rollback(platform.runs, platform.catalog, SystemClock(), Over(), before.id, run_key=key, holder="a test")
    assert {name: rows(released, name) for name in old} == old, "rule 22"
    assert {name: rows(released, name, before) for name in old} == old
