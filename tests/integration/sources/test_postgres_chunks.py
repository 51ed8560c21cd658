"""A window read in chunks is the window: every row once, whatever its ties, NULL keys, composite keys and texts."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from tests.integration.sources.chunks_under_test import BrokenOffError, in_chunks
from tests.integration.sources.sources_under_test import (
    Source,
    rejects_of,
    rows_of,
    sql_table,
)

from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.sources.chunking import bound_of
from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.adapters.sources.postgres.keyset import keyset
from headwater.domain.errors import SourceDataError
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState
from headwater.ports.chunks import Bound

COLUMNS = (
    SourceColumn("at", "timestamp with time zone", nested=False),
    SourceColumn("a", "text", nested=False),
    SourceColumn("b", "numeric", nested=False),
    SourceColumn("c", "integer", nested=False),
    SourceColumn("d", "bytea", nested=False),
)
ROW = st.tuples(
    st.integers(0, 3),
    st.none() | st.text("aAbBäß z0_", max_size=2),
    st.none() | st.sampled_from(["NaN", "-1.5", "0", "10", "9"]),
    st.none() | st.integers(-2, 12),
    st.none() | st.binary(max_size=1),
)


def table(rows: int, **extract: Any) -> TableSpec:
    values: dict[str, Any] = {"mode": "incremental", "cursor": "at", "chunk_rows": rows}
    return sql_table(**(values | extract))


@pytest.fixture(scope="module")
def session(postgres_server: Any) -> Any:
    postgres_server.create_databases(["chunks_under_test"])
    with psycopg.connect(postgres_server.url("chunks_under_test"), autocommit=True) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        opened.execute("CREATE TEMP TABLE f (n serial, at timestamptz, a text, b numeric, c int, d bytea)")
        opened.execute("CREATE INDEX ON f (at)")
        yield opened


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, max_size=25),
    size=st.integers(1, 9),
    key=st.lists(st.sampled_from(["a", "b", "c", "d", "at"]), unique=True),
)
def test_chunks_tile_the_window(session: Any, rows: list[tuple[Any, ...]], size: int, key: list[str]) -> None:
    """Every row in one chunk and in one only; no chunk is larger than asked but by rows that no key tells apart."""
    session.execute("TRUNCATE f")
    with session.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO f (at, a, b, c, d) VALUES ('2026-01-01'::timestamptz + %s * interval '1 us', %s, %s, %s, %s)",
            rows,
        )
    order, window = keyset(Cursor(COLUMNS[0]), COLUMNS, key), sql.SQL("t.at <= '2026-01-01 00:00:00.000002+00'")
    inside = {row[0] for row in session.execute(sql.SQL("SELECT n FROM f AS t WHERE {}").format(window))}
    seen: list[int] = []
    after: Bound | None = None
    while True:
        upto = bound_of(session.execute(order.nth(("pg_temp", "f"), window, after, size)).fetchall())
        read = sql.SQL("SELECT n, row(at, a, b, c, d)::text FROM f AS t WHERE {} ORDER BY {}").format(
            order.between(window, after, upto), order.order()
        )
        chunk = session.execute(read).fetchall()
        assert chunk or upto is None, "a chunk that ends before the window has rows"
        if len({row[1] for row in chunk}) == len(chunk) and set(key) >= {"a", "b", "c", "d"}:
            assert len(chunk) <= size or any("," * 2 in row[1] or ",)" in row[1] for row in chunk)
        seen += [row[0] for row in chunk]
        after = upto
        if upto is None:
            break
    assert sorted(seen) == sorted(inside)


@pytest.mark.parametrize("key", [("id",), ("note",), ("note", "id"), ()])
@pytest.mark.parametrize("index", ["", "create index on flights (at)"])
def test_chunks_hold_what_one_read_holds(source: Source, key: tuple[str, ...], index: str) -> None:
    source.sql(
        "create table flights (id int not null, note text not null, at timestamptz)",
        "insert into flights select g, chr(65 + g % 50) || g % 3, '2026-01-01'::timestamptz + (g % 7) * interval '1 s' "
        "from generate_series(1, 60) g",
        *([index] if index else []),
    )
    whole, pieces = table(8).model_copy(update={"key": key}), 'id, note, "at"'
    window = source.plan(whole)
    said: list[str] = []
    extracted = in_chunks(source, whole, window, said=said)
    assert len(said) > 6
    assert ("no index begins with cursor at" in said[0]) == (not index)
    assert sorted(rows_of(extracted, pieces)) == sorted(rows_of(source.extract(whole, window), pieces))
    positions = [row[0] for row in rows_of(extracted, "_hw_position")]
    assert (len(set(positions)), extracted.rows) == (60, 60)
    assert [row[0] for row in rows_of(extracted, '"at"')] == sorted(row[0] for row in rows_of(extracted, '"at"'))


def test_rows_that_move_during_the_read_are_no_loss(source: Source) -> None:
    """What is updated leaves the window and comes in the next; what is committed late below the bound that was read
    already is found by the lag, because the digest of its zone is that of the first chunk.
    """
    source.sql(
        "create table flights (id int, n int, at timestamptz)",
        "insert into flights select g, 0, now() - interval '1 h' + g * interval '1 s' from generate_series(1, 30) g",
    )
    asked, runs = table(10, lag="2h"), MemoryRunStore()
    window = source.plan(asked)
    with pytest.raises(BrokenOffError):
        in_chunks(source, asked, window, runs, 1)
    source.sql(
        "update flights set n = 1, at = clock_timestamp() where id in (5, 25)",
        "insert into flights values (31, 1, (select min(at) from flights))",
    )
    first = in_chunks(source, asked, window, runs)
    assert sorted(rows_of(first, "id, n")) == [(n, 0) for n in range(1, 31) if n != 25]
    source.states["flights"] = TableState(
        run_key="i/flights/r1", spec_hash="h", watermark=first.watermark, digest=first.digest
    )
    second = in_chunks(source, asked, source.plan(asked))
    newest = dict(rows_of(first, "id, n")) | dict(rows_of(second, "id, n"))
    assert newest == {n: 1 if n in (5, 25, 31) else 0 for n in range(1, 32)}


@pytest.mark.parametrize(("rows", "key", "files"), [(30, ("id",), 6), (20, ("id",), 9), (30, ("note",), 2)])
def test_several_readers_of_a_chunk_are_as_one(source: Source, rows: int, key: tuple[str, ...], files: int) -> None:
    """Rule 27: the same rows in the same order, each at a place of its own. Ties are not divided by a cut either."""
    source.sql(
        "create table flights (id int, note text, fare numeric(8,2), at timestamptz)",
        "insert into flights select g, 'x', g, '2026-01-01'::timestamptz + (g / 20) * interval '1 s' "
        "from generate_series(1, 60) g",
        "update flights set fare = 'NaN' where id in (3, 17, 44)",
        "insert into flights values (99, 'y', 1, null)",
    )
    alone = table(rows, max_quarantined_share=0.2).model_copy(update={"key": key})
    several = alone.model_copy(update={"extract": alone.extract.model_copy(update={"readers": 3})})
    window = source.plan(alone)
    one, three = (in_chunks(source, asked, window) for asked in (alone, several))
    assert len(three.files) == files
    assert rows_of(three, "id, fare") == rows_of(one, "id, fare")
    assert (three.rows, three.rejected, three.digest) == (57, 4, one.digest)
    places = [row[0] for row in rows_of(three, "_hw_position")] + [r["_hw_position"] for r in rejects_of(three)]
    assert len(set(places)) == 57 + 4


def test_a_relation_that_is_never_twice_the_same_is_refused(source: Source) -> None:
    source.sql(
        "create table lots as select g as id, '2026-01-01'::timestamptz + g * interval '1 s' as at "
        "from generate_series(1, 400) g",
        "create view flights as select * from lots where random() < 0.5",
    )
    asked = table(200, readers=4)
    with pytest.raises(SourceDataError, match="other rows each time it is read"):
        in_chunks(source, asked, source.plan(asked))
    assert not list(source.folder.glob("*.parquet"))
