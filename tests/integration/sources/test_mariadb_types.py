"""Every type of MariaDB arrives exact; what is no value of its type goes to quarantine as it is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.integration.sources.mariadb_under_test import MariaDb, MariaTable
from tests.integration.sources.sources_under_test import rejects_of, rows_of

from headwater.domain.errors import SchemaDriftError, SourceDataError
from headwater.ports.extractor import Extracted


@pytest.fixture
def flights(mariadb: MariaDb, tmp_path: Path) -> MariaTable:
    table = MariaTable(mariadb, tmp_path)
    table.sql("drop table flights")
    return table


def taken(table: MariaTable) -> list[Any]:
    return rows_of(table.run(), "COLUMNS(c -> NOT starts_with(c, '_hw_'))")


def widest(digits: int) -> str:
    return "9" * digits


TYPES: list[tuple[str, str, str, object]] = [
    ("tinyint", "-128", "int", -128),
    ("tinyint(1)", "127", "int", 127),
    ("boolean", "true", "int", 1),
    ("tinyint unsigned", "255", "int", 255),
    ("smallint unsigned", "65535", "int", 65535),
    ("mediumint unsigned", "16777215", "int", 16777215),
    ("int", "-2147483648", "int", -(2**31)),
    ("int(5) unsigned zerofill", "4294967295", "long", 2**32 - 1),
    ("bigint", "-9223372036854775808", "long", -(2**63)),
    ("bigint unsigned", "18446744073709551615", "decimal(20,0)", Decimal(2**64 - 1)),
    ("year", "2155", "int", 2155),
    ("year", "0", "int", 0),
    ("bit(1)", "b'1'", "boolean", True),
    ("bit(9)", "b'101010101'", "long", 341),
    ("bit(63)", "~0 >> 1", "long", 2**63 - 1),
    ("bit(64)", "~0", "decimal(20,0)", Decimal(2**64 - 1)),
    ("decimal(38,10)", f"'-{widest(28)}.{widest(10)}'", "decimal(38,10)", Decimal(f"-{widest(28)}.{widest(10)}")),
    ("decimal(38,0) unsigned", f"'{widest(38)}'", "decimal(38,0)", Decimal(widest(38))),
    ("decimal(5,5) unsigned", "0.99999", "decimal(5,5)", Decimal("0.99999")),
    ("decimal(2,1)", "-9.9", "decimal(2,1)", Decimal("-9.9")),
    ("decimal(65,30)", f"'-{widest(35)}.{widest(30)}'", "string", f"-{widest(35)}.{widest(30)}"),
    ("float", "16777217", "float", 16777216.0),
    ("float", "3.4028235e38", "float", 3.4028234663852886e38),
    ("double", "5e-324", "double", 5e-324),
    ("double", "0.1 + 2e-1", "double", 0.1 + 0.2),
    ("double", "-1.7976931348623157e308", "double", -1.7976931348623157e308),
    ("date", "'9999-12-31'", "date", date(9999, 12, 31)),
    ("date", "'0001-01-01'", "date", date(1, 1, 1)),
    ("datetime", "'2013-01-01 01:02:03'", "timestamp", datetime(2013, 1, 1, 1, 2, 3)),
    ("datetime(6)", "'9999-12-31 23:59:59.999999'", "timestamp", datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ("timestamp", "'2013-06-01 12:00:00'", "timestamptz", datetime(2013, 6, 1, 10, tzinfo=UTC)),
    ("timestamp(6)", "'2013-01-01 00:00:00.000001'", "timestamptz", datetime(2012, 12, 31, 22, 0, 0, 1, tzinfo=UTC)),
    ("time", "'-838:59:59'", "string", "-838:59:59"),
    ("time(6)", "'27:00:00.000001'", "string", "27:00:00.000001"),
    ("char(5)", "'ä'", "string", "ä"),
    ("varchar(10) character set latin1", "'äöü€'", "string", "äöü€"),
    ("varchar(10) character set utf8mb3", "'€'", "string", "€"),
    ("varchar(10) character set ucs2", "'Ω'", "string", "Ω"),
    ("varchar(10) character set utf8mb4", "'😀 '", "string", "😀 "),
    ("text character set cp1251", "'Ж'", "string", "Ж"),
    ("varchar(10) collate utf8mb4_bin", "'ä\"'", "string", 'ä"'),
    ("text collate utf8mb4_bin", "'ä\"'", "string", 'ä"'),
    ("char(3) character set latin1 collate latin1_bin", "'ä\"'", "string", 'ä"'),
    ("enum('ä\"') collate utf8mb4_bin", "1", "string", 'ä"'),
    ("varchar(10) character set ucs2 collate ucs2_bin", "'Ω'", "string", "Ω"),
    ("varchar(10)", "'a\\0b'", "string", "a\0b"),
    ("varchar(10)", "''", "string", ""),
    ("longtext", "repeat('ä', 100000)", "string", "ä" * 100_000),
    ("enum('a','B')", "'B'", "string", "B"),
    ("enum('a','B')", "'none of them'", "string", ""),
    ("set('x','y','z')", "'z,x'", "string", "x,z"),
    ("binary(4)", "x'00ff'", "binary", b"\0\xff\0\0"),
    ("varbinary(10)", "x'00ff27'", "binary", b"\0\xff'"),
    ("longblob", "repeat(x'00ff', 100000)", "binary", b"\0\xff" * 100_000),
    ("varchar(4) character set binary", "x'ff00'", "binary", b"\xff\0"),
]  # fmt: skip


MARIADB_TYPES: list[tuple[str, str, str, object]] = [
    ("uuid", "'123e4567-e89b-12d3-a456-426614174000'", "string", "123e4567-e89b-12d3-a456-426614174000"),
    ("inet6", "'::ffff:192.0.2.1'", "string", "::ffff:192.0.2.1"),
    ("json", """'{"b": 1.10, "a": [1]}'""", "string", '{"b": 1.10, "a": [1]}'),
    ("point", "st_geomfromtext('POINT(1 2)', 7)", "binary",
     bytes.fromhex("070000000101000000000000000000f03f0000000000000040")),
]  # fmt: skip
MYSQL_TYPES: list[tuple[str, str, str, object]] = [
    ("varchar(9) collate utf8mb4_0900_ai_ci", "'a '", "string", "a "),
    ("varchar(9) collate utf8mb4_0900_bin", "'ä\"'", "string", 'ä"'),
    ("int invisible", "7", "int", 7),
    ("json", """'{"b": 1.10, "a": [1]}'""", "string", '{"a": [1], "b": 1.1}'),
    ("point", "st_geomfromtext('POINT(1 2)', 4326, 'axis-order=long-lat')", "binary",
     bytes.fromhex("e61000000101000000000000000000f03f0000000000000040")),
]  # fmt: skip
"""A ``json`` of MySQL has an order of keys of its own, and an SRID has to be a known one."""


def test_values_of_every_type_are_exact(flights: MariaTable) -> None:
    """One table of all: the order of columns and rows is that of the list."""
    types = [*TYPES, *(MARIADB_TYPES if flights.server.is_mariadb else MYSQL_TYPES)]
    flights.sql(f"create table flights (id int, {', '.join(f'v{n} {row[0]}' for n, row in enumerate(types))})")
    names = ", ".join(["id", *(f"v{number}" for number in range(len(types)))])
    values = ", ".join(value for _, value, _, _ in types)
    flights.sql("set time_zone = '+02:00'", f"insert into flights ({names}) values (1, {values})")
    flights.sql("insert into flights (id) values (2)")
    offered = {column.name: column.type for column in flights.schema().columns}
    extracted = flights.run()
    assert extracted.rejected == 0
    [whole, empty] = rows_of(extracted, "COLUMNS('v.*')")
    for number, (declared, value, kind, expected) in enumerate(types):
        assert (declared, value, offered[f"v{number}"], whole[number]) == (declared, value, kind, expected)
    # MariaDB's first timestamp of a table is that of the insert where nobody says otherwise
    first = next(number for number, row in enumerate(TYPES) if row[0].startswith("timestamp"))
    assert {value for number, value in enumerate(empty) if number != first} == {None}


NO_DATES = [
    ("date", "0000-00-00"),
    ("date", "2013-00-15"),
    ("date", "2013-02-00"),
    ("date", "2013-02-31"),
    ("date", "0000-01-01"),
    ("datetime", "0000-00-00 00:00:00"),
    ("datetime(3)", "2013-02-31 01:02:03.004"),
    ("timestamp", "0000-00-00 00:00:00"),
]


def with_no_dates(table: MariaTable) -> MariaTable:
    columns = ", ".join(f"v{number} {kind} null" for number, (kind, _) in enumerate(NO_DATES))
    table.sql(f"create table flights (id int primary key, {columns})")
    table.sql("insert into flights (id) values (1)")
    for number, (_, text) in enumerate(NO_DATES):
        table.sql("set sql_mode = 'ALLOW_INVALID_DATES'",
                  f"insert into flights (id, v{number}) values ({number + 2}, '{text}')")  # fmt: skip
    return table


def test_what_is_no_date_is_set_aside_as_it_is(flights: MariaTable) -> None:
    extracted = with_no_dates(flights).run()
    assert rows_of(extracted, "id") == [(1,)]
    found = [(reject["_hw_rules"], json.loads(reject["_hw_payload"])) for reject in rejects_of(extracted)]
    assert [rules for rules, _ in found] == [f"untypable:v{number}" for number in range(len(NO_DATES))]
    assert [row[f"v{number}"] for number, (_, row) in enumerate(found)] == [text for _, text in NO_DATES]
    assert [json.loads(reject["_hw_key"]) for reject in rejects_of(extracted)] == [
        {"id": str(number + 2)} for number in range(len(NO_DATES))
    ]
    assert {reject["_hw_origin"] for reject in rejects_of(extracted)} == {f"mariadb:{flights.database}.flights"}


def test_what_is_no_date_by_policy(mariadb: MariaDb, tmp_path: Path) -> None:
    for policy in ("null", "stop"):
        (tmp_path / policy).mkdir()
        table = MariaTable(mariadb, tmp_path / policy, non_finite=policy)
        table.sql("drop table flights")
        with_no_dates(table)
        if policy == "null":
            assert [row[1:] for row in taken(table)] == [(None,) * len(NO_DATES)] * (len(NO_DATES) + 1)
            continue
        with pytest.raises(SourceDataError, match="untypable:v0") as caught:
            table.run()
        assert "0000-00-00" in str(caught.value.got)
        assert not list(table.folder.glob("*.parquet"))


def test_a_null_key_is_set_aside_and_too_many_stop(flights: MariaTable) -> None:
    flights.sql("create table flights (id int, v text)", "insert into flights values (null, 'a'), (1, 'b')")
    extracted = flights.run()
    assert [reject["_hw_rules"] for reject in rejects_of(extracted)] == ["null_key:id"]
    assert rows_of(extracted, "id") == [(1,)]
    before = sorted(flights.folder.iterdir())
    flights.sql("insert into flights select null, seq from seq_1_to_20")
    with pytest.raises(SourceDataError, match=r"21 of 22 rows of .*flights"):
        flights.run()
    assert sorted(flights.folder.iterdir()) == before


def test_invisible_and_generated_columns_odd_names_and_views_travel(flights: MariaTable) -> None:
    flights.sql(
        "create table `a ``b\"c` (id int primary key, `x 'y` text, hidden int invisible default 7, "
        "twice int as (id * 2) virtual, thrice int as (id * 3) stored)",
        "insert into `a ``b\"c` (id, `x 'y`) values (1, 'z')",
        'create view flights as select *, hidden from `a ``b"c`',
    )
    assert taken(flights) == [(1, "z", 2, 3, 7)]
    offered = flights.with_extractor(lambda extractor: extractor.list_relations())
    mine = [item for item in offered if item.relation.startswith(f"{flights.database}.")]
    assert [(item.relation, item.primary_key) for item in mine] == [
        (f'{flights.database}.a `b"c', ("id",)), (f"{flights.database}.flights", ()),
    ]  # fmt: skip
    assert [column.name for column in mine[0].schema_.columns] == ["id", "x 'y", "hidden", "twice", "thrice"]


def test_a_key_of_a_collation_that_ignores_case_is_carried_as_written_and_told(flights: MariaTable) -> None:
    flights.sql("create table flights (id varchar(5) collate utf8mb4_general_ci primary key)",
                "insert into flights values ('ab1'), ('AB2')")  # fmt: skip
    said: list[str] = []
    window, schema = flights.plan(), flights.schema()
    extracted: Extracted = flights.with_extractor(
        lambda e: e.extract(flights.table, window, flights.stamp, schema, str(flights.folder), None, said.append)
    )
    assert rows_of(extracted, "id") == [("ab1",), ("AB2",)]
    assert any("key id" in line and "utf8mb4_general_ci" in line for line in said)


DRIFTS = [
    ("alter table flights add column extra int", "'extra' of type int is new"),
    ("alter table flights drop column v", "'v' vanished"),
    ("alter table flights rename column v to w", "'v' vanished"),
    ("alter table flights modify v bigint", "changed its type: bigint"),
    ("alter table flights modify v int unsigned", "unsigned does not fit int"),
    ("alter table flights modify v varchar(10)", "changed its type: varchar(10)"),
    ("alter table flights modify d decimal(10,3)", "changed its type: decimal(10,3)"),
    ("alter table flights modify d decimal(12,2)", "changed its type: decimal(12,2)"),
    ("alter table flights modify t timestamp null", "changed its type: timestamp"),
    ("alter table flights change v V int", "'v' vanished"),
    ("alter table flights add column ID2 int, add column id3 int, drop column id", "key column 'id' does not exist"),
]
HARMLESS = [
    "alter table flights modify v int not null default 1",
    "alter table flights modify v smallint",
    "alter table flights modify column v int first",
    "alter table flights modify d decimal(8,2)",
    "alter table flights modify s varchar(400) character set latin1",
]


@pytest.mark.parametrize(("change", "words"), DRIFTS, ids=[change for change, _ in DRIFTS])
def test_what_drifts_stops_and_is_named(flights: MariaTable, change: str, words: str) -> None:
    window, schema = drifting(flights)
    flights.sql(change)
    with pytest.raises(SchemaDriftError) as caught:
        flights.extract(window, schema)
    assert words in caught.value.message
    assert {"table", "relation", "connection", "column"} <= set(caught.value.facts)


@pytest.mark.parametrize("change", HARMLESS)
def test_what_fits_the_live_table_goes_on(flights: MariaTable, change: str) -> None:
    window, schema = drifting(flights)
    flights.sql(change)
    assert rows_of(flights.extract(window, schema), "id, v, d, t, s") == [
        (1, 5, Decimal("1.50"), datetime(2013, 1, 1), "ä")
    ]


def drifting(table: MariaTable) -> tuple[Any, Any]:
    """A table with a row, its plan, and its live schema, before it changes."""
    table.sql("create table flights (id int primary key, v int, d decimal(10,2), t datetime, s varchar(9))",
              "insert into flights values (1, 5, 1.5, '2013-01-01', 'ä')")  # fmt: skip
    return table.plan(), table.schema()
