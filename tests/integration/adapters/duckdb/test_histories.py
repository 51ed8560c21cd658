"""What was known when, and what held when, asked of an scd2 table by SQL (rule 35)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from headwater.adapters.duckdb.query import query
from headwater.domain.errors import QueryRefusedError
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable

Ask = Callable[[str], list[Any]]


def day(number: int | None) -> datetime | None:
    return None if number is None else datetime(2026, 3, number, tzinfo=UTC)


# faa, name, valid_from, valid_to, batch_in, batch_out, deleted; days of March
BELIEFS = [
    # JFK: opened on the 1st, renamed on the 10th: the first row's end was written when its successor came
    ("JFK", "Idlewild", 1, 10, 2, None, False),
    ("JFK", "Kennedy", 10, None, 11, None, False),
    # LGA: what was believed from the 3rd on turned out wrong on the 20th
    ("LGA", "Laguardia", 1, None, 3, 20, False),
    ("LGA", "LaGuardia", 1, None, 20, None, False),
    # EWR: closed on the 5th, learned on the 6th
    ("EWR", "Newark", 1, 5, 2, None, False),
    ("EWR", "Newark", 5, None, 6, None, True),
]


LATE = [
    # BOS: on the 15th it turned out to have been called otherwise since the 3rd; today it is called as before
    ("BOS", "Boston", 1, None, 2, 15, False),
    ("BOS", "Boston", 1, 3, 15, None, False),
    ("BOS", "Logan", 3, 20, 15, None, False),
    ("BOS", "Boston", 20, None, 21, None, False),
    # DCA: the same, and renamed since
    ("DCA", "Washington", 1, None, 2, 15, False),
    ("DCA", "Washington", 1, 3, 15, None, False),
    ("DCA", "National", 3, 20, 15, None, False),
    ("DCA", "Reagan", 20, None, 21, None, False),
    # ORD: renamed on the 10th, closed on the 18th
    ("ORD", "Orchard", 1, 10, 2, None, False),
    ("ORD", "O'Hare", 10, 18, 10, None, False),
    ("ORD", "O'Hare", 18, None, 18, None, True),
    # PHL: open since the 2nd, learned on the 12th
    ("PHL", "Philadelphia", 2, None, 12, None, False),
    # SYR: closed on the 3rd, learned on the 7th; TTN: closed on the 3rd, corrected into never
    ("SYR", "Syracuse", 1, 3, 2, None, False),
    ("SYR", "Syracuse", 3, None, 7, None, True),
    ("TTN", "Trenton", 1, None, 2, 9, False),
]
"""What was learned late about the first days of March."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return asking(tmp_path_factory.mktemp("warehouse"), BELIEFS)


def asking(folder: Path, beliefs: list[Any]) -> Ask:
    """Asks a release of a history of these beliefs, and of a table without a history."""
    catalog = SqlCatalog("lake", uri=f"sqlite:///{folder}/catalog.db", warehouse=str(folder))
    catalog.create_namespace("silver")
    moment = pa.timestamp("us", tz="UTC")
    rows = pa.table(
        {
            "faa": [row[0] for row in beliefs],
            "name": [row[1] for row in beliefs],
            "valid_from": pa.array([day(row[2]) for row in beliefs], moment),
            "valid_to": pa.array([day(row[3]) for row in beliefs], moment),
            "batch_in": pa.array([day(row[4]) for row in beliefs], moment),
            "batch_out": pa.array([day(row[5]) for row in beliefs], moment),
            "is_current": [row[3] is None and row[5] is None and not row[6] for row in beliefs],
            "_hw_deleted": [row[6] for row in beliefs],
        }
    )
    table = catalog.create_table("silver.flights__airports", schema=rows.schema)
    table.append(rows)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    name = TableName.parse("silver.flights.airports")
    item = ReleasedTable(table=name, snapshot_id=snapshot.snapshot_id, metadata_location=table.metadata_location)
    plain = catalog.create_table("silver.flights__planes", schema=rows.select(["faa"]).schema)
    plain.append(rows.select(["faa"]))
    of_plain = plain.current_snapshot()
    assert of_plain is not None
    planes = ReleasedTable(
        table=TableName.parse("silver.flights.planes"),
        snapshot_id=of_plain.snapshot_id,
        metadata_location=plain.metadata_location,
    )
    catalog.close()
    release = Release.model_validate(
        {"id": "r-1", "run_key": "a/b/c", "pipeline": "flights", "kind": "audited", "status": "published"}
        | {"created_at": day(1), "tables": (item, planes)}
    )
    keys = {name.dotted: ("faa",)}
    return lambda sql: list(query(sql, [release], str(folder), keys).rows)


def known(ask: Ask, number: int) -> list[Any]:
    at = f"silver.flights.airports_as_known_at(TIMESTAMP '2026-03-{number:02d}')"
    return ask(f"SELECT faa, name, day(valid_to), is_current FROM {at} ORDER BY faa, valid_from")


@pytest.mark.parametrize(
    ("number", "rows"),
    [
        (1, []),
        (2, [("EWR", "Newark", None, True), ("JFK", "Idlewild", None, True)]),
        (5, [("EWR", "Newark", None, True), ("JFK", "Idlewild", None, True), ("LGA", "Laguardia", None, True)]),
        (6, [("EWR", "Newark", 5, False), ("JFK", "Idlewild", None, True), ("LGA", "Laguardia", None, True)]),
        (
            25,
            [
                ("EWR", "Newark", 5, False),
                ("JFK", "Idlewild", 10, False),
                ("JFK", "Kennedy", None, True),
                ("LGA", "LaGuardia", None, True),
            ],
        ),
    ],
)
def test_as_known_at_shows_what_was_believed_then_and_no_end_learned_since(ask: Ask, number: int, rows: Any) -> None:
    assert known(ask, number) == rows


@pytest.mark.parametrize(
    ("number", "rows"),
    [(4, ["Idlewild", "LaGuardia", "Newark"]), (5, ["Idlewild", "LaGuardia"]), (10, ["Kennedy", "LaGuardia"])],
)
def test_valid_at_shows_what_held_then_by_what_is_known_today(ask: Ask, number: int, rows: Any) -> None:
    """Intervals are half-open; a corrected name held all along."""
    at = f"silver.flights.airports_valid_at(TIMESTAMP '2026-03-{number:02d}')"
    assert [row[0] for row in ask(f"SELECT name FROM {at} ORDER BY name")] == rows


def test_what_we_reported_and_why_it_changed_is_one_query(tmp_path: Path) -> None:
    """The query of the guide: what was learned of that day since is told, also where today looks as it did then."""
    guide = (Path(__file__).parents[4] / "docs/guides/histories.md").read_text()
    sql = guide.split("```sql\nWITH reported")[1].split("```")[0].replace("2013-03-31", "2026-03-04")
    assert asking(tmp_path, BELIEFS + LATE)("WITH reported" + sql) == [
        ("BOS", "Boston", "Logan", "Boston", "corrected on 2026-03-15"),
        ("DCA", "Washington", "National", "Reagan", "corrected on 2026-03-15"),
        ("EWR", "Newark", "Newark", None, "gone since 2026-03-05"),
        ("JFK", "Idlewild", "Idlewild", "Kennedy", "changed on 2026-03-10, known since 2026-03-11"),
        ("LGA", "Laguardia", "LaGuardia", "LaGuardia", "corrected on 2026-03-20"),
        ("ORD", "Orchard", "Orchard", None, "gone since 2026-03-18"),
        ("PHL", None, "Philadelphia", "Philadelphia", "learned on 2026-03-12"),
        ("SYR", "Syracuse", None, None, "taken back: it did not hold any more, or never had"),
        ("TTN", "Trenton", None, None, "taken back: it did not hold any more, or never had"),
    ]


@pytest.mark.parametrize(
    "call", ["airports_as_known_at('x')", "pilots_valid_at(DATE '2026-03-01')", "airports_until(DATE '2026-03-01')"]
)
def test_other_calls_are_refused(ask: Ask, call: str) -> None:
    with pytest.raises(QueryRefusedError):
        ask(f"SELECT * FROM silver.flights.{call}")


@pytest.mark.parametrize("end", ["valid_at", "as_known_at"])
def test_a_table_without_history_is_said_to_have_none(ask: Ask, end: str) -> None:
    """DuckDB would ask if another table was meant."""
    with pytest.raises(QueryRefusedError, match=r"silver\.flights\.planes keeps no history") as caught:
        ask(f"SELECT * FROM silver.flights.Planes_{end}(DATE '2026-03-01')")
    assert caught.value.allowed == "silver.flights.airports_as_known_at, silver.flights.airports_valid_at"
    assert "scd2" in str(caught.value.remedy)
