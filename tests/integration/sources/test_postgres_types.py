"""Every PostgreSQL type arrives exactly, or its row is set aside (rule 30)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.integration.sources.sources_under_test import Source, live_schema, rejects_of, rows_of, sql_table

from headwater.domain.errors import SchemaDriftError, SourceDataError

CASES = [
    ("smallint", "int", "-32768", -32768),
    ("integer", "int", "2147483647", 2147483647),
    ("bigint", "long", "-9223372036854775808", -9223372036854775808),
    ("oid", "long", "4294967295", 4294967295),
    ("numeric(38,10)", "decimal(38,10)", "9999999999999999999999999999.9999999999", None),
    ("numeric(5,2)", "decimal(5,2)", "-999.99", Decimal("-999.99")),
    ("numeric", "string", "3.14159265358979323846264338327950288419716939937510", None),
    ("numeric(60,20)", "string", "1234567890123456789012345678901234567890.12345678901234567890", None),
    ("money", "string", "1.50", "1.50"),
    ("real", "float", "1.5", 1.5),
    ("double precision", "double", "0.1", 0.1),
    ("boolean", "boolean", "true", True),
    ("text", "string", "žluťoučký\n'kůň'", None),
    ("varchar(10)", "string", "x", "x"),
    ("char(3)", "string", "abc", "abc"),
    ("uuid", "string", "7c9e6679-7425-40de-944b-e07fc1f90ae7", None),
    ("jsonb", "string", '{"a": [1, null]}', None),
    ("inet", "string", "10.0.0.1/8", None),
    ("interval", "string", "1 day 02:00:00", None),
    ("int4range", "string", "[1,5)", None),
    ("time", "string", "12:34:56.789", None),
    ("integer[]", "string", "{1,NULL,3}", "[1,null,3]"),
    ("bytea", "binary", "\\x00ff27", b"\x00\xff\x27"),
    ("date", "date", "0001-01-01", date(1, 1, 1)),
    ("date", "date", "9999-12-31", date(9999, 12, 31)),
    ("timestamp", "timestamp", "2013-01-01 00:00:00.000001", datetime(2013, 1, 1, 0, 0, 0, 1)),
    ("timestamp(3)", "timestamp", "9999-12-31 23:59:59.999", datetime(9999, 12, 31, 23, 59, 59, 999000)),
    ("timestamptz", "timestamptz", "2013-01-01 00:00:00+02", datetime(2012, 12, 31, 22, tzinfo=UTC)),
]


@pytest.mark.parametrize(("pg", "iceberg", "text", "expected"), CASES, ids=[f"{c[0]}:{c[2][:12]}" for c in CASES])
def test_every_type_arrives_exactly(source: Source, pg: str, iceberg: str, text: str, expected: object) -> None:
    value = text.replace("'", "''")
    source.sql(f"create table flights (id int primary key, v {pg})")
    source.sql(f"insert into flights values (1, '{value}'::{pg}), (2, null)")
    table = sql_table()
    assert source.inspect(table).columns[1].type == iceberg
    _, extracted = source.run(table)
    [[first], [second]] = rows_of(extracted, "v")
    wanted = expected if expected is not None else Decimal(text) if iceberg.startswith("decimal") else text
    if isinstance(wanted, datetime) and wanted.tzinfo is not None:
        assert first.astimezone(UTC) == wanted
    else:
        assert first == wanted
    assert second is None


UNCARRIABLE = [
    ("numeric(4,1)", "NaN", "non_finite:v"),
    ("numeric(9,9)", "NaN", "non_finite:v"),
    ("numeric(10,2)", "NaN", "non_finite:v"),
    ("numeric(38,10)", "NaN", "non_finite:v"),
    ("numeric", "Infinity", "non_finite:v"),
    ("real", "-Infinity", "non_finite:v"),
    ("double precision", "NaN", "non_finite:v"),
    ("date", "infinity", "out_of_range:v"),
    ("date", "10000-01-01", "out_of_range:v"),
    ("timestamp", "-infinity", "out_of_range:v"),
    ("timestamptz", "0044-03-15 BC", "out_of_range:v"),
]


@pytest.mark.parametrize(("pg", "text", "rule"), UNCARRIABLE)
def test_value_that_cannot_be_carried_is_set_aside_never_changed(source: Source, pg: str, text: str, rule: str) -> None:
    source.sql(f"create table flights (id int primary key, v {pg})")
    source.sql(f"insert into flights values (1, null), (2, '{text}'), (3, null)")
    _, extracted = source.run(sql_table())
    assert [row[0] for row in rows_of(extracted, "id")] == [1, 3]
    [reject] = rejects_of(extracted)
    assert reject["_hw_rules"] == rule
    assert json.loads(reject["_hw_key"]) == {"id": 2}
    assert json.loads(reject["_hw_payload"])["id"] == 2
    assert reject["_hw_table"] == "bronze.flights.flights"
    assert (extracted.rows, extracted.rejected) == (2, 1)


def test_non_finite_policy_stop_names_column_count_and_keys(source: Source) -> None:
    source.sql("create table flights (id int primary key, fare float8)", "insert into flights values (1, 'NaN')")
    with pytest.raises(SourceDataError) as caught:
        source.run(sql_table(non_finite="stop"))
    assert caught.value.facts["column"] == "fare"
    assert caught.value.facts["count"] == "1"
    assert '{"id": 1}' in (caught.value.got or "")


def test_non_finite_policy_null_keeps_the_row(source: Source) -> None:
    source.sql("create table flights (id int primary key, fare float8)", "insert into flights values (1, 'NaN')")
    _, extracted = source.run(sql_table(non_finite="null"))
    assert rows_of(extracted, "id, fare") == [(1, None)]


def test_null_key_is_set_aside_and_doubled_key_is_kept(source: Source) -> None:
    source.sql("create table flights (id int, n int)", "insert into flights values (null, 1), (2, 2), (2, 3)")
    _, extracted = source.run(sql_table())
    assert rows_of(extracted, "id, n") == [(2, 2), (2, 3)]
    [reject] = rejects_of(extracted)
    assert (reject["_hw_rules"], reject["_hw_key"]) == ("null_key:id", None)


def test_more_than_the_allowed_share_set_aside_stops(source: Source) -> None:
    source.sql("create table flights (id int primary key, fare float8)")
    source.sql("insert into flights select g, case when g <= 11 then 'NaN'::float8 end from generate_series(1, 100) g")
    with pytest.raises(SourceDataError, match=r"11 of 100 rows of public\.flights"):
        source.run(sql_table())


def test_names_with_quotes_dots_and_spaces_travel(source: Source) -> None:
    source.sql("""create table flights (id int primary key, "a.b ""q' %s {x}" int, "SELECT" int)""")
    source.sql("insert into flights values (1, 2, 3)")
    _, extracted = source.run(sql_table())
    assert rows_of(extracted, "COLUMNS(c -> NOT starts_with(c, '_hw_'))") == [(1, 2, 3)]


@pytest.mark.parametrize("columns", ['a int, "A" int', '"_hw_batch" int', '"_HW_x" int', "_deleted int"])
def test_names_that_cannot_be_carried_are_refused(source: Source, columns: str) -> None:
    source.sql(f"create table flights (id int primary key, {columns})")
    with pytest.raises(SchemaDriftError) as caught:
        source.inspect(sql_table())
    assert caught.value.facts["table"] == "flights"
    assert caught.value.facts["column"]


def test_columns_are_found_by_field_id_of_the_live_table(source: Source) -> None:
    import pyarrow.parquet as pq

    source.sql("create table flights (id int primary key, n int)", "insert into flights values (1, 2)")
    table = sql_table()
    live = live_schema(source.inspect(table))
    numbered = tuple(c.model_copy(update={"field_id": 100 - n}) for n, c in enumerate(live.columns))
    extracted = source.extract(table, source.plan(table), live.model_copy(update={"columns": numbered}))
    schema = pq.read_schema(extracted.files[0].path)
    found = {field.name: int(field.metadata[b"PARQUET:field_id"]) for field in schema}
    assert found == {column.name: column.field_id for column in numbered}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("alter table flights drop column n", "n"),
        ("alter table flights rename column n to m", "n"),
        ("alter table flights alter column n type text", "n"),
        ("alter table flights add column extra int", "extra"),
    ],
)
def test_columns_that_no_longer_fit_the_live_table_are_drift(source: Source, change: str, column: str) -> None:
    source.sql("create table flights (id int primary key, n int)", "insert into flights values (1, 2)")
    table = sql_table()
    live, window = live_schema(source.inspect(table)), source.plan(table)
    source.sql(change)
    with pytest.raises(SchemaDriftError) as caught:
        source.extract(table, window, live)
    assert caught.value.facts["column"] == column
