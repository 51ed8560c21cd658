"""A column of another type costs only the rows whose values do not fit; every other value arrives as it always does."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest
from tests.integration.sources.sources_under_test import Source, live_schema, rejects_of, rows_of, sql_table

from headwater.domain.errors import SchemaDriftError, SourceDataError
from headwater.domain.spec import TableSpec
from headwater.ports.extractor import Extracted

FACTS = """
create type mood as enum ('sad', 'glad');
create table flights (
  id bigint primary key, n integer, note text, fare numeric(12,4), open_ numeric, ratio double precision, part real,
  ok boolean, day date, at timestamp, tz timestamptz, raw bytea, doc jsonb, tags text[], u uuid, m mood, i interval);
insert into flights select g, g, case g % 3 when 0 then null else 'ü "' || g end, g / 7.0, g / 3.0, g / 11.0, g / 13.0,
  g % 2 = 0, date '2013-01-01' + g, timestamp '2013-01-01 01:02:03.456789' + g * interval '1 hour',
  timestamptz '2013-01-01 01:02:03.456789+02' + g * interval '1 day', decode(lpad(to_hex(g), 4, '0'), 'hex'),
  jsonb_build_object('a', g), array['x', null, g::text], md5(g::text)::uuid, 'glad', g * interval '1 minute'
  from generate_series(1, 200) g;
"""


def table(**extract: Any) -> TableSpec:
    return sql_table(**extract).model_copy(update={"drift": "quarantine"})


def test_every_other_value_is_what_it_always_was(source: Source) -> None:
    source.sql(FACTS)
    live = live_schema(source.inspect(table()))
    window = source.plan(table())
    before = source.extract(table(), window, live)
    source.sql("alter table flights alter n type text, add extra text default 'x'")
    after = source.extract(table(), window, live)
    assert (after.rows, after.rejected, after.digest) == (200, 0, before.digest)
    paths = [[file.path for file in extracted.files] for extracted in (before, after)]
    columns = "COLUMNS(c -> NOT starts_with(c, '_hw_'))"
    with duckdb.connect() as engine:
        read = [f"SELECT {columns} FROM read_parquet({files})" for files in paths]
        assert engine.execute(f"{read[0]} EXCEPT ALL {read[1]}").fetchall() == []
        described = [engine.execute(f"DESCRIBE {query}").fetchall() for query in read]
    assert described[0] == described[1]
    # nothing is appended for a change of type that changed no value
    assert source.extract(table(), window.model_copy(update={"digest": before.digest}), live).files == ()


def _drifted(source: Source, **extract: str) -> Extracted:
    source.sql(
        "create table flights (id int primary key, at timestamptz, n integer, x double precision, d date)",
        "insert into flights values (1, '2013-01-01', 1, 1, '2013-01-01')",
    )
    spec = table(**extract)
    live = live_schema(source.inspect(spec))
    source.sql(
        "alter table flights alter n type text, add extra text",
        "insert into flights values (2, '2013-01-02', 'two', 2, '2013-01-02', 'e'), (3, null, '3', 3, null, 'e'), "
        "(4, '9999-01-01', '4', 4, null, 'e'), (5, '2013-01-03', '5', 'NaN', null, 'e'), "
        "(6, '2013-01-04', '6', 6, 'infinity', 'e'), (7, '2013-01-05', ' 7', 7, null, 'e'), "
        "(8, '2013-01-06', '08', 8, null, 'e')",
    )
    return source.extract(spec, source.plan(spec), live)


def test_what_is_set_aside_is_the_row_as_the_source_has_it(source: Source) -> None:
    taken = _drifted(source, mode="incremental", cursor="at")
    assert rows_of(taken, "id, n") == [(1, 1), (8, 8)]
    rejects = {json.loads(r["_hw_key"])["id"]: (r["_hw_rules"], r["_hw_payload"]) for r in rejects_of(taken)}
    assert {key: rules for key, (rules, _) in rejects.items()} == {
        "2": "untypable:n",
        "3": "null_cursor:at",
        "4": "future_cursor:at",
        "5": "non_finite:x,untypable:x",
        "6": "out_of_range:d,untypable:d",
        "7": "untypable:n",
    }
    assert json.loads(rejects["2"][1]) == {
        "id": 2, "at": "2013-01-02T00:00:00+00:00", "n": "two", "x": 2, "d": "2013-01-02", "extra": "e",
    }  # fmt: skip
    assert taken.watermark is not None
    assert taken.watermark.startswith("2013-01-06")


def test_the_policy_for_values_that_are_not_finite_holds(source: Source) -> None:
    with pytest.raises(SourceDataError, match="non_finite:x 1"):
        _drifted(source, mode="incremental", cursor="at", non_finite="stop")


@pytest.mark.parametrize("column", ["id", "at"])
def test_a_key_or_cursor_of_another_type_stops(source: Source, column: str) -> None:
    source.sql("create table flights (id int primary key, at int)", "insert into flights values (1, 1)")
    spec = table(mode="incremental", cursor="at")
    live = live_schema(source.inspect(spec))
    window = source.plan(spec)
    source.sql(f"alter table flights alter {column} type text")
    with pytest.raises(SchemaDriftError, match="changed its type"):
        source.extract(spec, window, live)


def test_too_many_values_that_do_not_fit_stop_the_table(source: Source) -> None:
    source.sql("create table flights (id int primary key, n int)", "insert into flights values (1, 1)")
    live = live_schema(source.inspect(table()))
    source.sql(
        "alter table flights alter n type text", "insert into flights select g, 'x' from generate_series(2, 30) g"
    )
    with pytest.raises(SourceDataError, match=r"29 of 30 rows .* untypable:n 29"):
        source.extract(table(), source.plan(table()), live)
    assert not list(source.folder.glob("*.parquet"))
