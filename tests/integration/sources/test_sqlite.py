"""SQLite stores any type anywhere: what is not of its column's declared type goes to quarantine as it is."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sources.relations_under_test import Table
from tests.integration.sources.sources_under_test import rejects_of, rows_of, sql_table

from headwater.cli.scaffold import write_source
from headwater.domain.errors import (
    ConnectionMalformedError,
    HeadwaterError,
    RequestError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
    SpecError,
)
from headwater.domain.run import RunRequest
from headwater.domain.spec import Owner
from headwater.model.repository import load_repository
from headwater.ports.extractor import Extracted


@pytest.fixture
def flights(tmp_path: Path) -> Table:
    table = Table(tmp_path)
    table.sql("drop table flights")
    return table


def taken(table: Table) -> list[Any]:
    return rows_of(table.run(), "COLUMNS(c -> NOT starts_with(c, '_hw_'))")


TYPES = [
    ("INTEGER", "9223372036854775807", 2**63 - 1),
    ("unsigned big int", "-1", -1),
    ("BOOLEAN", "1", True),
    ("DOUBLE PRECISION", "0.1", 0.1),
    ("REAL", "3", 3.0),
    ("REAL", "1e-300", 1e-300),
    ("DECIMAL(10,2)", "12.34", Decimal("12.34")),
    ("NUMERIC(12, 4)", "5", Decimal(5)),
    ("NUMERIC", "'12345678901234567890.5'", "1.2345678901234567e+19"),
    ("VARCHAR(10)", "'ä😀'", "ä😀"),
    ("TEXT", "7", "7"),
    ("BLOB", "x'00ff'", b"\0\xff"),
    ("DATE", "'2012-02-29'", datetime(2012, 2, 29, tzinfo=UTC).date()),
    ("DATETIME", "'2013-01-01T01:02:03.000004'", datetime(2013, 1, 1, 1, 2, 3, 4)),
    ("TIMESTAMPTZ", "'2013-01-01 01:00:00+01:00'", datetime(2013, 1, 1, tzinfo=UTC)),
    ("", "1.5", "1.5"),
]


@pytest.mark.parametrize(("declared", "value", "expected"), TYPES)
def test_values_of_the_declared_type_are_exact(flights: Table, declared: str, value: str, expected: object) -> None:
    flights.sql(f"create table flights (id int primary key, v {declared})")
    flights.sql(f"insert into flights values (1, {value}), (2, null)")
    assert taken(flights) == [(1, expected), (2, None)]


OTHERS = [
    ("INTEGER", "'many'", "untypable:v", "many"),
    ("INTEGER", "1.5", "untypable:v", "1.5"),
    ("BOOLEAN", "2", "untypable:v", "2"),
    ("REAL", "'x'", "untypable:v", "x"),
    ("REAL", "9e999", "untypable:v", "inf"),
    ("DECIMAL(4,2)", "123", "untypable:v", "123"),
    ("DECIMAL(10,2)", "1.005", "untypable:v", "1.005"),
    ("DATE", "20130101", "untypable:v", "20130101"),
    ("DATE", "'2013-02-30'", "untypable:v", "2013-02-30"),
    ("DATETIME", "1356998400", "untypable:v", "1356998400"),
    ("TEXT", "x'00ff'", "no_storage_class", '"hex": "00ff"'),
    ("BLOB", "'0a'", "no_storage_class", '"v": "0a"'),
    ("TEXT", "cast(x'6162ff' as text)", "invalid_utf8", "ab\\\\xff"),
    ("TEXT", "'a' || char(0)", "nul_byte", "a\\\\x00"),
]


@pytest.mark.parametrize(("declared", "value", "rule", "holds"), OTHERS)
def test_values_of_another_type_are_set_aside(flights: Table, declared: str, value: str, rule: str, holds: str) -> None:
    flights.sql(f"create table flights (id int primary key, v {declared})")
    flights.sql(f"insert into flights values (1, null), (2, {value})")
    extracted = flights.run()
    assert rows_of(extracted, "id") == [(1,)]
    [reject] = rejects_of(extracted)
    assert reject["_hw_rules"] == rule
    assert holds in str(json.loads(reject["_hw_payload"])).replace("'", '"')
    assert reject["_hw_origin"] == "sqlite:main.flights"


def test_a_null_key_is_set_aside(flights: Table) -> None:
    flights.sql("create table flights (id int, v text)")
    flights.sql("insert into flights values (null, 'a'), (1, 'b')")
    assert [reject["_hw_rules"] for reject in rejects_of(flights.run())] == ["null_key:id"]


def test_too_many_of_another_type_stop(flights: Table) -> None:
    flights.sql("create table flights (id int primary key, v int)")
    flights.sql("with recursive n(i) as (select 1 union all select i + 1 from n where i < 11) "
                "insert into flights select i, 'x' from n")  # fmt: skip
    with pytest.raises(SourceDataError, match=r"11 of 11 rows of flights"):
        flights.run()


@pytest.mark.parametrize(("policy", "rows"), [("null", [(1, None)]), ("stop", None)])
def test_infinity_by_policy(tmp_path: Path, policy: str, rows: list[Any] | None) -> None:
    table = Table(tmp_path, non_finite=policy)
    table.sql("drop table flights")
    table.sql("create table flights (id int primary key, v real)")
    table.sql("insert into flights values (1, 9e999)")
    if rows is None:
        with pytest.raises(SourceDataError, match="holds infinity"):
            table.run()
    else:
        assert taken(table) == rows


def at(table: Table, number: int, moment: str) -> None:
    table.sql(f"insert into flights values ({number}, {moment})")


def ids(extracted: Extracted) -> list[int]:
    return sorted(row[0] for row in rows_of(extracted, "id"))


@pytest.fixture
def moving(tmp_path: Path) -> Table:
    table = Table(tmp_path, mode="incremental", cursor="updated_at", lag="1h")
    table.sql("drop table flights")
    table.sql("create table flights (id int primary key, updated_at timestamptz)")
    return table


def test_windows_follow_times_of_any_form_and_find_late_commits(moving: Table) -> None:
    at(moving, 1, "'2013-01-01 12:00'")
    at(moving, 2, "'2013-01-01T11:59:59.999999Z'")
    assert ids(moving.run()) == [1, 2]
    assert moving.plan().kind == "nothing"
    at(moving, 3, "'2013-01-01 12:30:00+01:00'")
    assert ids(moving.run()) == [1, 2, 3]
    assert moving.plan().kind == "nothing"
    at(moving, 4, "'2013-01-02 00:00'")
    assert ids(moving.run()) == [1, 2, 3, 4]


def test_unusable_cursors_blind_nobody_and_are_set_aside(moving: Table) -> None:
    """Rule 6."""
    at(moving, 1, "'2013-01-01 00:00'")
    at(moving, 2, "null")
    at(moving, 3, "'9999-12-31 00:00'")
    at(moving, 4, "'soon'")
    window = moving.plan()
    assert (window.null_cursors, window.future_cursors) == (2, 1)
    extracted = moving.run()
    assert ids(extracted) == [1]
    assert sorted(reject["_hw_rules"] for reject in rejects_of(extracted)) == [
        "future_cursor:updated_at", "null_cursor:updated_at", "untypable:updated_at",
    ]  # fmt: skip
    assert {json.loads(reject["_hw_key"])["id"] for reject in rejects_of(extracted)} == {"2", "3", "4"}
    assert moving.plan().kind == "nothing"
    at(moving, 5, "'2013-01-02 00:00'")
    assert ids(moving.run()) == [1, 5]


def test_backfill_is_half_open_and_a_snapshot_has_none(moving: Table, tmp_path: Path) -> None:
    for day in range(1, 6):
        at(moving, day, f"'2013-01-0{day} 00:00'")
    start = datetime(2013, 1, 2, tzinfo=UTC)
    request = RunRequest(window_from=start, window_to=start + timedelta(days=2))
    now = datetime.now(UTC)
    window = moving.with_extractor(lambda e: e.plan(moving.table, None, None, request, now))
    assert not window.advances_watermark
    assert ids(moving.extract(window)) == [2, 3]
    whole = sql_table()
    with pytest.raises(RequestError):
        moving.with_extractor(lambda e: e.plan(whole, None, None, request, now))


def test_a_read_sees_one_moment_of_a_file_that_is_written_to(flights: Table) -> None:
    flights.sql("pragma journal_mode = wal")
    flights.sql("create table flights (id int primary key)")
    flights.sql("insert into flights values (1), (2)")
    with closing(sqlite3.connect(flights.path)) as writer:
        writer.execute("insert into flights values (3)")
        assert ids(flights.run()) == [1, 2]
        writer.commit()
    assert ids(flights.run()) == [1, 2, 3]


def test_views_and_odd_names_travel(flights: Table) -> None:
    flights.sql('create table "a b""c" (id int primary key, "x \'y" text)')
    flights.sql('insert into "a b""c" values (1, \'z\')')
    flights.sql('create view flights as select * from "a b""c"')
    assert taken(flights) == [(1, "z")]
    offered = flights.with_extractor(lambda extractor: extractor.list_relations())
    assert [(item.relation, item.primary_key) for item in offered] == [('main.a b"c', ("id",)), ("main.flights", ())]


def test_new_source_takes_what_a_file_offers(flights: Table, tmp_path: Path) -> None:
    flights.sql("create table orders (id integer primary key, price decimal(10,2), updated_at timestamptz)")
    flights.sql("create table order_lines (order_id int, line int, primary key (order_id, line))")
    offered = flights.with_extractor(lambda extractor: extractor.list_relations())
    write_source(tmp_path, "shop", "sqlite", Owner(team="shop", email=("shop@example.com",)), offered)
    found = load_repository(tmp_path)
    assert [str(error) for error in found.errors] == []
    tables = {table.name: table for table in found.sources[0].tables}
    assert {name: table.key for name, table in tables.items()} == {
        "orders": ("id",),
        "order_lines": ("order_id", "line"),
    }
    for table in tables.values():
        flights.table = table
        assert flights.schema().columns


def broken(flights: Table, content: bytes) -> None:
    flights.path.write_bytes(content)


def test_what_is_wrong_with_a_source_is_named(flights: Table) -> None:
    def inspecting(error: type[HeadwaterError], words: str, **changes: Any) -> None:
        with pytest.raises(error, match=words) as caught:
            flights.with_extractor(
                lambda extractor: extractor.inspect(flights.table), flights.connection.model_copy(update=changes)
            )
        assert caught.value.facts["connection"] == "sqlite"

    flights.sql("create table flight (id int primary key)")
    inspecting(SourceTableMissingError, "flights does not exist")
    flights.sql("create table flights (n int)")
    inspecting(SchemaDriftError, "key column 'id'")
    inspecting(SourceUnreachableError, "does not exist", host="/no/such/file.db")
    inspecting(ConnectionMalformedError, "names no database file", host="flights.db")
    inspecting(SourceUnreachableError, "does not exist", host=str(flights.path.parent))
    broken(flights, b"x" * 5000)
    inspecting(SourceDataError, "no sound SQLite database")


def test_a_cursor_without_order_and_a_lag_of_numbers_are_refused(flights: Table) -> None:
    flights.sql("create table flights (id int primary key, v text)")
    refused: list[dict[str, Any]] = [{"cursor": "v"}, {"cursor": "id", "lag": "1h"}]
    for extract in refused:
        flights.table = sql_table(mode="incremental", **extract)
        with pytest.raises(SpecError):
            flights.plan()


def test_a_file_locked_by_a_writer_is_worth_a_retry(flights: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headwater.adapters.sources.sqlite.session.BUSY_SECONDS", 0.2)
    flights.sql("create table flights (id int primary key)")
    flights.sql("insert into flights values (1)")
    with closing(sqlite3.connect(flights.path, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        with pytest.raises(SourceUnreachableError, match="locked by a writer") as caught:
            flights.run()
        assert caught.value.retry_helps
        writer.execute("rollback")
    assert flights.run().rows == 1
