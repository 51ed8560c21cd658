"""Real Trino reads what a release names, and row by row what ``headwater query`` reads; only where it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.chain.installation import Installation
from tests.chain.trino_under_test import Trino, TrinoRefusedError, reading
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.duckdb.query import query
from headwater.domain.release import Release, ReleasedTable

pytestmark = pytest.mark.timeout(600)

FLIGHTS = "silver.flights.flights"


def snapshot(item: ReleasedTable) -> str:
    """The table as the release names it, as the guide writes it."""
    return f"lake.{item.table.layer}.{item.table.source}__{item.table.table} FOR VERSION AS OF {item.snapshot_id}"


def item_of(release: Release, table: str) -> ReleasedTable:
    return next(item for item in release.tables if item.table.dotted == table)


def by_duckdb(installation: Installation, release: Release, table: str) -> dict[str, list[tuple[Any, ...]]]:
    """Columns and rows; instants as microseconds."""
    catalog = installation.settings.catalog
    known = query(f"SELECT * FROM (DESCRIBE {table})", [release], catalog.warehouse, s3=catalog.s3)
    kinds = {str(row[0]): str(row[1]) for row in known.rows}
    shown = [f"epoch_us({name})" if kind.startswith("TIMESTAMP") else name for name, kind in kinds.items()]
    rows = query(f"SELECT {', '.join(shown)} FROM {table}", [release], catalog.warehouse, s3=catalog.s3).rows
    return {"columns": list(kinds.items()), "rows": sorted((tuple(map(_plain, row)) for row in rows), key=repr)}


def by_trino(trino: Trino, item: ReleasedTable, columns: list[tuple[str, str]]) -> list[tuple[Any, ...]]:
    shown = [_of_trino(name, kind) for name, kind in columns]
    every = {row[0] for row in trino.rows(f"DESCRIBE lake.{item.table.layer}.{item.table.source}__{item.table.table}")}
    alive = " WHERE _hw_deleted IS DISTINCT FROM true" if "_hw_deleted" in every else ""
    rows = trino.rows(f"SELECT {', '.join(shown)} FROM {snapshot(item)}{alive}")
    return sorted((tuple(map(_plain, row)) for row in rows), key=repr)


def _of_trino(name: str, kind: str) -> str:
    if kind.startswith("TIMESTAMP"):
        return f"CAST(to_unixtime({name}) * 1000000 AS BIGINT)"
    return f"CAST({name} AS VARCHAR)" if kind.startswith(("DATE", "DECIMAL")) else name


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)


@pytest.fixture
def releases(secured: Installation) -> tuple[Release, Release]:
    """Two audited releases: before and after rows changed, came, and went at the source."""
    file = secured.repository / "dags/sources/flights.yaml"
    text = file.read_text()
    before, airports, after = text.partition("  airports:\n")
    assert "silver: {mode: scd2}" in after
    file.write_text(before + airports + after.replace("{mode: scd2}", "{mode: upsert}", 1))
    secured.source("DELETE FROM flights WHERE time_hour >= '2013-01-03'")
    asked = ["flights", "airports", "airlines"]
    assert set(secured.run("flights", "r1", tables=asked).values()) == {"success"}
    secured.source(
        "UPDATE flights SET distance = distance + 1, updated_at = updated_at + interval '1 day' WHERE flight % 7 = 0"
    )
    secured.source("DELETE FROM airports WHERE faa IN ('LAX', 'SFO')")
    secured.source("UPDATE airlines SET name = name || '!' WHERE carrier = 'AA'")
    assert set(secured.run("flights", "r2", tables=asked).values()) == {"success"}
    audited = [item for item in secured.fresh().runs.releases() if item.scope == "audited"]
    return audited[1], audited[0]


def test_every_table_of_a_release_is_read_as_we_read_it_and_nothing_is_written(
    secured: Installation, secured_stores: SecuredStores, releases: tuple[Release, Release]
) -> None:
    """Rule 19, for a reader that is not ours; merge-on-read deletes, history and marked deletions included."""
    with reading(secured_stores, secured.settings.catalog) as trino:
        for release in releases:
            assert {"silver.flights.flights", "gold.flights.daily_departures"} <= {
                item.table.dotted for item in release.tables
            }
            for item in release.tables:
                ours = by_duckdb(secured, release, item.table.dotted)
                assert ours["rows"]
                assert by_trino(trino, item, ours["columns"]) == ours["rows"], item.table.dotted

        older, newer = (item_of(release, FLIGHTS) for release in releases)
        miles = "SELECT sum(distance) FROM "
        assert trino.rows(miles + snapshot(older)) != trino.rows(miles + snapshot(newer))
        # the rows that changed are deleted by position, beside the files that still hold them
        assert trino.rows('SELECT count(*) FROM lake.silver."flights__flights$files" WHERE content = 1') > [(0,)]
        marked = trino.rows(
            f"SELECT faa FROM {snapshot(item_of(releases[1], 'silver.flights.airports'))} WHERE _hw_deleted"
        )
        assert sorted(marked) == [("LAX",), ("SFO",)]

        for writing in ("DELETE FROM lake.silver.flights__flights", "CREATE TABLE lake.silver.mine AS SELECT 1 AS n"):
            with pytest.raises(TrinoRefusedError, match="PERMISSION_DENIED"):
                trino.rows(writing)
