"""A large heap is read by several sessions at once, as if by one: every row, one moment, one order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest
from psycopg import sql
from tests.integration.sources.sources_under_test import Source, rejects_of, rows_of, sql_table

from headwater.adapters.duckdb.engine import writer
from headwater.adapters.sources.postgres.scanning import exported_snapshot, first, one_snapshot, same_snapshot
from headwater.adapters.sources.postgres.segments import READERS
from headwater.domain.errors import SourceDataError
from headwater.domain.staging import TableState

ROWS = 24_000
LARGE = (
    "create table flights (id int not null, fare numeric(10,2), padding text)",
    f"insert into flights select g, g / 100.0, repeat('x', 900) from generate_series(1, {ROWS}) g",
)


@pytest.fixture
def flights(source: Source) -> Source:
    """22 MB, more than the smallest heap that is divided."""
    source.sql(*LARGE)
    return source


@pytest.mark.parametrize("extract", [{"mode": "snapshot"}, {"mode": "incremental", "cursor": "id"}])
def test_every_row_comes_once_in_the_order_of_the_heap(flights: Source, extract: dict[str, Any]) -> None:
    """Rule 27: positions of different segments never meet, and sort as one reading would have numbered them."""
    _, extracted = flights.run(sql_table(**extract))
    rows = rows_of(extracted, "id, _hw_position")
    assert len(extracted.files) == READERS
    assert [row[0] for row in rows] == list(range(1, ROWS + 1))
    assert len({row[1] for row in rows}) == ROWS
    assert len({len(row[1]) for row in rows}) == 1
    assert extracted.rows == ROWS


@pytest.mark.parametrize(("asked", "found"), [(1, 1), (4, 2)])
def test_no_more_readers_than_asked_and_none_for_a_small_stretch(flights: Source, asked: int, found: int) -> None:
    _, extracted = flights.run(sql_table(readers=asked))
    assert (len(extracted.files), extracted.rows) == (found, ROWS)


def test_what_lies_above_a_watermark_is_left_to_one_reader(flights: Source) -> None:
    """An index may find it: dividing would look for it twice."""
    table = sql_table(mode="incremental", cursor="id")
    flights.run(table)
    flights.sql(f"insert into flights select id + {ROWS}, fare, padding from flights")
    _, extracted = flights.run(table)
    assert (len(extracted.files), extracted.rows) == (1, ROWS)


def test_a_second_reader_sees_the_moment_of_the_first(source: Source) -> None:
    """A torn snapshot means false deletes (rule 28)."""
    source.sql("create table flights (id int)", "insert into flights values (1), (2)")
    count = sql.SQL("SELECT count(*) AS n FROM public.flights")
    with writer() as engine, one_snapshot(engine, source.info):
        name = exported_snapshot(engine)
        source.sql("delete from flights where id = 1")
        with same_snapshot(engine, name) as second:
            assert first(second, count) == (2,)
        with writer() as third, one_snapshot(third, source.info):
            assert first(third, count) == (1,)


def test_unfit_rows_of_every_segment_are_set_aside(flights: Source) -> None:
    """Rule 30; a NaN arrives as 0, so only the source can tell it from a fare of 0."""
    flights.sql(f"update flights set fare = 'NaN' where id in (1, {ROWS})", "update flights set fare = 0 where id = 2")
    _, extracted = flights.run(sql_table())
    assert (extracted.rows, extracted.rejected) == (ROWS - 2, 2)
    zeros = [row for row in rows_of(extracted, "id, fare") if row[1] == Decimal(0)]
    assert zeros == [(2, Decimal("0.00"))]
    rejects = rejects_of(extracted)
    assert [reject["_hw_rules"] for reject in rejects] == ["non_finite:fare"] * 2
    carried = {row[0] for row in rows_of(extracted, "_hw_position")}
    assert not carried & {reject["_hw_position"] for reject in rejects}


def test_a_refused_read_leaves_no_file(flights: Source) -> None:
    flights.sql("update flights set fare = 'NaN' where id <= 2000")
    with pytest.raises(SourceDataError, match=f"2,000 of {ROWS:,} rows"):
        flights.run(sql_table())
    assert not list(flights.folder.glob("*.parquet"))


def test_what_is_equal_in_every_row_is_written_once(flights: Source) -> None:
    _, extracted = flights.run(sql_table())
    footer = pq.read_metadata(extracted.files[0].path).row_group(0)
    chunks = {footer.column(n).path_in_schema: footer.column(n) for n in range(footer.num_columns)}
    for name in ("_hw_run_key", "_hw_op", "_hw_origin"):
        assert chunks[name].has_dictionary_page
        assert chunks[name].total_uncompressed_size < 300
    [schema] = {str(pq.read_schema(file.path).field("_hw_op").type) for file in extracted.files}
    assert schema == "string"


def test_a_cursor_lost_between_plan_and_read_is_found_by_the_next_plan(source: Source) -> None:
    """Rule 6: where the plan met no unusable cursor none is looked for, and none is taken for seen."""
    source.sql("create table flights (id int, n int)", "insert into flights values (1, 1)")
    table = sql_table(mode="incremental", cursor="n")
    window = source.plan(table)
    source.sql("insert into flights values (2, null)")
    extracted = source.extract(table, window)
    assert extracted.rejects == ()
    state = TableState(run_key="i/flights/r1", spec_hash="h", watermark=extracted.watermark, digest=extracted.digest)
    source.states["flights"] = state
    assert source.plan(table).null_cursors == 1
    _, again = source.run(table)
    assert [reject["_hw_rules"] for reject in rejects_of(again)] == ["null_cursor:n"]
    assert source.plan(table).kind == "nothing"


@pytest.mark.parametrize("index", ["", "create index on flights (updated_at)"])
def test_a_window_is_the_same_with_and_without_an_index_of_its_cursor(source: Source, index: str) -> None:
    source.sql("create table flights (id int, updated_at timestamptz)", *([index] if index else []))
    source.sql("insert into flights values (1, '2013-01-01'), (2, '2013-01-02'), (3, null), (4, '9999-12-31')")
    window = source.plan(sql_table(mode="incremental", cursor="updated_at"))
    assert (window.high, window.null_cursors, window.future_cursors) == ("2013-01-02 00:00:00+00", 1, 1)


def test_a_wide_table_fits(source: Source) -> None:
    """500 columns need buffers of their own, by two readers at once."""
    names = [f"c{number}" for number in range(500)]
    columns = ", ".join(f"{name} {'int' if number % 2 else 'text'}" for number, name in enumerate(names))
    values = ", ".join("g" if number % 2 else "'t' || g % 100" for number in range(500))
    source.sql(
        f"create table flights (id int, {columns})",
        f"insert into flights select g, {values} from generate_series(1, 20000) g",
    )
    _, extracted = source.run(sql_table())
    assert (len(extracted.files), extracted.rows) == (READERS, 20_000)
    assert rows_of(extracted, "id, c499")[-1] == (20_000, 20_000)
