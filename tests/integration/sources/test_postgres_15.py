"""PostgreSQL 15 gives what 18 gives: the same rows, digests and fingerprints, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from tests.integration.sources.sources_under_test import Source, connection_of, rejects_of, rows_of, sql_table
from tests.integration.sources.test_postgres_types import CASES, UNCARRIABLE

from headwater.adapters.reconciling import OffloadedSides
from headwater.domain.spec import TableSpec
from headwater.ports.reconciling import ComparedColumn, Comparison

EXTREMES = """
create type mood as enum ('sad', 'ok');
create type place as (x int, y text);
create domain short as varchar(3) check (value <> '');
create table others (id int primary key, m mood, p place, d short, a text[][], j jsonb, f real, n numeric);
insert into others values
  (1, 'sad', '(1,"a ""b")', 'abc', '{{a,NULL},{"x,y",z}}', '{"b": 1.0, "a": []}', '1e-45', 1e-20),
  (2, null, null, null, '{}', 'null', '-0', 12345678901234567890.5)
"""


@pytest.fixture
def both(source: Source, source_15: Source) -> tuple[Source, Source]:
    return source, source_15


def alike(both: tuple[Source, Source], act: Callable[[Source], Any]) -> Any:
    """What both servers give, which is the same."""
    on_18, on_15 = map(act, both)
    assert on_15 == on_18
    return on_15


def test_it_is_another_server(source_15: Source) -> None:
    with psycopg.connect(source_15.url) as session:
        assert session.info.server_version // 10_000 == 15


def test_every_type_arrives_the_same(both: tuple[Source, Source]) -> None:
    """Rule 30: all types of the suite in one relation, and those with texts of their own making."""
    columns = ", ".join(f"c{place} {kind}" for place, (kind, *_) in enumerate(CASES))
    values = ", ".join("'" + text.replace("'", "''") + f"'::{kind}" for kind, _, text, _ in CASES)
    for source in both:
        source.sql(f"create table flights (id int primary key, {columns})", f"insert into flights values (1, {values})")
        source.sql(EXTREMES)
    for name in ("flights", "others"):
        found = alike(both, partial(_whole, sql_table(name)))
        assert found[0], "there are rows"


def _whole(table: TableSpec, source: Source) -> tuple[Any, ...]:
    _, extracted = source.run(table)
    shown = ", ".join(f'"{column.name}"' for column in source.inspect(table).columns)
    return rows_of(extracted, f"{shown}, _hw_position"), extracted.digest, source.inspect(table)


def test_what_cannot_be_carried_is_set_aside_the_same(both: tuple[Source, Source]) -> None:
    columns = ", ".join(f"c{place} {kind}" for place, (kind, *_) in enumerate(UNCARRIABLE))
    rows = ", ".join(
        f"({place}, {', '.join(_only(place, at, kind, text) for at, (kind, text, _) in enumerate(UNCARRIABLE))})"
        for place in range(len(UNCARRIABLE))
    )
    for source in both:
        source.sql(f"create table flights (id int, {columns})", f"insert into flights values {rows}")
    table = sql_table(max_quarantined_share=1.0)
    found = alike(both, lambda source: [(r["_hw_rules"], r["_hw_key"]) for r in rejects_of(source.run(table)[1])])
    assert len(found) == len(UNCARRIABLE)


def _only(row: int, at: int, kind: str, text: str) -> str:
    return f"'{text}'::{kind}" if row == at else "null"


@pytest.mark.parametrize("extract", [{}, {"lag": "2h"}, {"mode": "snapshot", "cursor": None}])
def test_windows_digests_and_segments_are_the_same(both: tuple[Source, Source], extract: dict[str, Any]) -> None:
    """9 MB: two readers under one exported snapshot, by ranges of pages."""
    for source in both:
        source.sql(
            "create table flights (id int primary key, at timestamptz, padding text)",
            "insert into flights select g, timestamptz '2026-01-01' + g * interval '1 s', repeat('x', 900) "
            "from generate_series(1, 20000) g",
        )
    table = sql_table(**({"mode": "incremental", "cursor": "at"} | extract))

    def run(source: Source) -> tuple[Any, ...]:
        window, extracted = source.run(table)
        return window, extracted.digest, len(extracted.files), rows_of(extracted, 'id, "at", _hw_position')

    _, _, files, rows = alike(both, run)
    assert (files, len(rows)) == (2, 20_000)


def test_an_open_transaction_bounds_the_window(source_15: Source) -> None:
    """Rule 6: the server tells since when one is open."""
    source_15.sql("create table flights (id int, at timestamptz)", "insert into flights values (1, '2026-01-01')")
    table = sql_table(mode="incremental", cursor="at")
    with psycopg.connect(source_15.url) as writer:
        writer.execute("insert into flights values (2, now())")
        source_15.sql("insert into flights values (3, now())")
        assert source_15.plan(table).high == "2026-01-01 00:00:00+00"


def test_fingerprints_and_ranges_are_the_same(both: tuple[Source, Source]) -> None:
    for source in both:
        source.sql(
            "create table flights (id int primary key, at timestamptz, fare numeric(10,2), note text)",
            "insert into flights select g, timestamptz '2026-01-01' + g / 3 * interval '1 s', g / 7.0, 'ž' || g "
            "from generate_series(1, 500) g",
        )
    table = sql_table(mode="incremental", cursor="at")
    kinds = {"id": "int", "at": "timestamptz", "fare": "decimal(10,2)", "note": "string"}
    columns = tuple(ComparedColumn(source=name, lake=name, type=kind) for name, kind in kinds.items())
    compared = Comparison(table=table, columns=columns, bits=4)

    def prints(source: Source) -> Any:
        with opened(source, table) as rows:
            ranges = rows.ranges(compared, "2026-01-01 00:02:00", 100)
            return rows.buckets(compared), [(item, rows.print_of(compared, item)) for item in ranges]

    _, ranges = alike(both, prints)
    assert sum(printed.rows for _, printed in ranges) == 359


@contextmanager
def opened(source: Source, table: TableSpec) -> Iterator[Any]:
    class Known:
        def resolve(self, connection_id: str) -> Any:
            return connection_of(source.url, id=connection_id)

    with OffloadedSides(Known()).source(table, "flights_db") as rows:
        yield rows
