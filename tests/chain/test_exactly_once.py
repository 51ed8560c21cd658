"""Promise 1 on the whole chain: real Postgres, files, Iceberg and Spark; real processes killed with -9."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.chain.installation import Installation

from headwater.adapters.duckdb.query import query
from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release

pytestmark = pytest.mark.timeout(900)

KILLED_AT = (
    "plan.end",
    "extract.before_commit",
    "extract.after_commit",
    "validate_bronze.end",
    "publish.after_intent",
    "publish.before_mark",
    "refine.before_write",
    "refine.after_write",
    "validate_silver.begin",
    "gold.after_write",
    "validate_gold.end",
    "publish.after_intent",
    "publish.before_mark",
)
"""In the order of the chain, bronze's publish and then the audited one. tests/faults goes through every step inside
extracts and publishes. Points inside a Spark job kill the job's process, and the stage ends red."""


def rows(installation: Installation, sql: str) -> list[dict[str, Any]]:
    """A query over the current releases, as ``headwater query`` does it."""
    platform = installation.fresh()
    return query(sql, platform.runs.current(), installation.settings.catalog.warehouse).objects()


def count(installation: Installation, table: str) -> int:
    return int(rows(installation, f"SELECT count(*) AS n FROM {table}")[0]["n"])


def published(installation: Installation) -> list[Release]:
    return [release for release in installation.fresh().runs.releases(limit=100) if release.status == "published"]


def mains(installation: Installation) -> dict[str, int | None]:
    catalog = installation.fresh().catalog
    heads = (catalog.head(name) for name in catalog.list_tables())
    return {head.table.dotted: head.main for head in heads if head}


def assert_everything_once(installation: Installation) -> None:
    """Source and released tables hold the same rows, and no table was published twice by one run."""
    flights = installation.source("SELECT count(*), sum(distance), sum(dep_delay) FROM flights")[0]
    found = rows(
        installation,
        "SELECT count(*) AS n, sum(distance) AS miles, sum(dep_delay) AS delay FROM silver.flights.flights",
    )[0]
    assert (found["n"], found["miles"], found["delay"]) == flights
    assert count(installation, "bronze.flights.flights") == flights[0]
    departures = rows(installation, "SELECT sum(flights) AS n, sum(cancelled) AS c FROM gold.flights.daily_departures")
    cancelled = installation.source("SELECT count(*) FROM flights WHERE dep_time IS NULL")[0][0]
    assert (departures[0]["n"], departures[0]["c"]) == (flights[0], cancelled)
    for table in ("airlines", "airports", "planes"):
        expected = installation.source(f"SELECT count(*) FROM {table}")[0][0]
        assert (
            rows(installation, f"SELECT count(*) AS n FROM silver.flights.{table} WHERE is_current")[0]["n"] == expected
        )
    moves = Counter((move.table, release.run_key) for release in published(installation) for move in release.moves)
    assert max(moves.values()) == 1


def test_a_run_killed_at_every_point_ends_like_one_that_was_not(installation: Installation) -> None:
    """Rules 8, 10, 11, 17, 19: each process dies with -9 at the next point, the next one goes on."""
    installation.source("DELETE FROM flights WHERE time_hour >= '2013-01-03'")
    for point in KILLED_AT:
        process = installation.process("flights", "r1", "chain", f"{point}:kill")
        in_spark = point in {"refine.before_write", "refine.after_write", "gold.after_write"}
        assert process.returncode == (1 if in_spark else -9), (point, process.stderr[-2000:])

    states = installation.run("flights", "r1")

    assert set(states.values()) == {"success"}, states
    assert_everything_once(installation)


def test_clearing_and_triggering_again_change_nothing(released: Installation) -> None:
    """Rule 9: a cleared published run and a run with nothing new publish nothing and move no table."""
    before, releases = mains(released), len(published(released))

    cleared = released.run("flights", "r1")
    again = released.run("flights", "r2")

    assert set(cleared.values()) == set(again.values()) == {"success"}
    assert mains(released) == before
    assert len(published(released)) == releases
    assert_everything_once(released)


def test_a_month_later_only_changes_move_and_history_is_kept(released: Installation) -> None:
    """Rules 31, 35: corrections replace, a re-registered plane opens a version, a withdrawn airport ends."""
    released.source("UPDATE flights SET dep_delay = 77, updated_at = '2013-01-05' WHERE carrier = 'HA'")
    released.source("UPDATE planes SET seats = seats + 1 WHERE tailnum = 'N10156'")
    released.source("DELETE FROM airports WHERE faa = '04G'")
    changed = released.source("SELECT count(*) FROM flights WHERE carrier = 'HA'")[0][0]

    states = released.run("flights", "r2")

    assert set(states.values()) == {"success"}
    late = rows(released, "SELECT count(*) AS n FROM silver.flights.flights WHERE dep_delay = 77 AND carrier = 'HA'")
    assert late[0]["n"] == changed > 0
    versions = rows(released, "SELECT is_current FROM silver.flights.planes WHERE tailnum = 'N10156'")
    assert sorted(row["is_current"] for row in versions) == [False, True]
    gone = rows(released, "SELECT valid_to FROM silver.flights.airports WHERE faa = '04G'")
    assert [row["valid_to"] is not None for row in gone] == [True]
    airlines = TableName(layer=Layer.SILVER, source="flights", table="airlines")
    moved = [{move.table for move in release.moves} for release in published(released)]
    assert sum(airlines in tables for tables in moved) == 1
