"""A window of MariaDB read in chunks is the window, whatever its collations, NULL keys, ties and zero dates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.sources.chunks_under_test import BrokenOffError, in_chunks
from tests.integration.sources.mariadb_under_test import MariaDb, MariaInChunks, MariaSource
from tests.integration.sources.sources_under_test import rejects_of, rows_of, sql_table

from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.keyset import keyset
from headwater.domain.errors import SourceDataError
from headwater.domain.spec import TableSpec
from headwater.domain.staging import TableState

COLUMNS = (
    SourceColumn("at", "datetime", "datetime(6)"),
    SourceColumn("a", "varchar", "varchar(9)", collation="utf8mb4_general_ci"),
    SourceColumn("b", "decimal", "decimal(65,30)"),
    SourceColumn("c", "bigint", "bigint(20) unsigned"),
    SourceColumn("d", "varbinary", "varbinary(3)"),
    SourceColumn("e", "varchar", "varchar(9)", collation="latin1_swedish_ci"),
    SourceColumn("f", "bit", "bit(64)"),
    SourceColumn("g", "date", "date"),
    SourceColumn("n", "int", "int(11)", required=True),
)
DECLARED = """
n int auto_increment primary key, at datetime(6), a varchar(9) collate utf8mb4_general_ci, b decimal(65,30),
c bigint unsigned, d varbinary(3), e varchar(9) character set latin1, f bit(64), g date, index (at)
"""
ROW = st.tuples(
    st.sampled_from(["2026-01-01", "2026-01-01 00:00:00.000001", "2026-02-31", "2026-03-01", "2027-01-01"]),
    st.none() | st.text("aAäÄ b\\'z😀", max_size=2),
    st.none() | st.sampled_from(["-1.5", "0", "10", "9", "12345678901234567890123456789012345." + "1" * 30]),
    st.none() | st.sampled_from([0, 2, 12, 2**64 - 1]),
    st.none() | st.binary(max_size=2),
    st.none() | st.text("aÄä ", max_size=2),
    st.none() | st.sampled_from([0, 2**63, 2**64 - 1]),
    st.none() | st.sampled_from(["0000-00-00", "2013-00-15", "2013-01-31"]),
)
WINDOW = "t.`at` <= '2026-06-01' AND t.`at` >= '0001-01-01'"


def table(rows: int, **extract: Any) -> TableSpec:
    values: dict[str, Any] = {"mode": "incremental", "cursor": "at", "chunk_rows": rows}
    return sql_table(**(values | extract))


@pytest.fixture
def source(mariadb: MariaDb, tmp_path: Path) -> MariaSource:
    return MariaSource(mariadb, tmp_path / "data")


@pytest.fixture(scope="module")
def session(mariadb: MariaDb) -> Iterator[Any]:
    name = mariadb.make_database()
    with mariadb.session(name) as opened, opened.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(f"CREATE TABLE f ({DECLARED})")
        cursor.execute(f"USE {name}")
        yield name, cursor


def chunks_of(session: Any, rows: list[tuple[Any, ...]], key: list[str], size: int) -> list[list[int]]:
    """The numbers of the rows in each chunk."""
    name, cursor = session
    cursor.execute("DELETE FROM f")
    cursor.execute("ALTER TABLE f AUTO_INCREMENT = 1")
    cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES'")
    if rows:
        cursor.executemany(f"INSERT INTO f (at, a, b, c, d, e, f, g) VALUES ({', '.join(['%s'] * 8)})", rows)
    cursor.execute("SET sql_mode = ''")

    def ask(query: str) -> list[tuple[Any, ...]]:
        cursor.execute(query)
        return list(cursor.fetchall())

    order, found, after = keyset(Cursor(COLUMNS[0]), COLUMNS, key), list[list[int]](), None
    while True:
        upto = order.bound_after(ask, (name, "f"), WINDOW, after, size)
        read = f"SELECT n FROM f AS t WHERE {order.between(WINDOW, after, upto)} ORDER BY {order.order()}"
        found.append([row[0] for row in ask(read)])
        after = upto
        if upto is None:
            return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, max_size=20),
    size=st.integers(1, 9),
    key=st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "n", "at"]), unique=True),
)
def test_chunks_tile_the_window(session: Any, rows: list[tuple[Any, ...]], size: int, key: list[str]) -> None:
    """Every row in one chunk and in one only, whatever the collation takes for equal."""
    found = chunks_of(session, rows, key, size)
    inside = [number for number, row in enumerate(rows, 1) if row[0] != "2027-01-01"]
    assert sorted(number for chunk in found for number in chunk) == inside
    assert all(found[:-1]), "a chunk that ends before the window has rows"


@pytest.mark.parametrize(
    ("ties", "size", "sizes"),
    [
        ([10], 3, [3, 3, 3, 1]),
        ([9], 3, [3, 3, 3, 0]),
        ([4, 10], 6, [6, 6, 2]),
        ([4, 10, 1], 5, [5, 5, 5]),
        ([2, 2], 4, [4]),
        ([], 3, [0]),
    ],
)
def test_rows_of_one_cursor_are_divided_by_their_key(
    session: Any, ties: list[int], size: int, sizes: list[int]
) -> None:
    rows = [(f"2026-01-0{day}", *[None] * 7) for day, count in enumerate(ties, 1) for _ in range(count)]
    assert [len(chunk) for chunk in chunks_of(session, rows, ["n"], size)] == sizes


def fill(source: MariaSource, rows: int, *more: str) -> None:
    source.sql(
        "create table flights (id int not null, note varchar(20) not null, day date, at datetime(3))",
        f"insert into flights select seq, concat(char(65 + seq % 50), seq % 3), '2013-01-31', "
        f"'2026-01-01' + interval (seq div 4) second from seq_1_to_{rows}",
        *more,
    )


@pytest.mark.parametrize(("key", "index"), [(("note", "id"), "create index i on flights (at)"), ((), "do 1")])
def test_chunks_hold_what_one_read_holds(source: MariaSource, key: tuple[str, ...], index: str) -> None:
    fill(source, 60, index)
    whole, pieces = table(25).model_copy(update={"key": key}), 'id, note, "at"'
    window, said = source.plan(whole), list[str]()
    extracted = in_chunks(source, whole, window, said=said)
    assert any("no index begins with cursor at" in line for line in said) == (index == "do 1")
    assert sorted(rows_of(extracted, pieces)) == sorted(rows_of(source.extract(whole, window), pieces))
    assert extracted.rows == len(set(rows_of(extracted, "_hw_position"))) == 60
    assert len({file.path for file in extracted.files}) == 3
    in_order = rows_of(extracted, '"at", note, id')
    assert in_order == (sorted(in_order) if key else sorted(in_order, key=lambda row: row[0]))


@pytest.mark.parametrize("breaks_after", [1, 3])
def test_a_resumed_read_equals_an_uninterrupted_one(source: MariaSource, breaks_after: int) -> None:
    """Rules 27 and 28: rows, positions and digest, whatever came in between; rejects are not doubled either."""
    fill(source, 30, "update flights set day = '2013-02-31' where id in (3, 17, 18)",
         "insert into flights values (99, 'x', null, null)")  # fmt: skip
    asked, shown = table(10, lag="2h", max_quarantined_share=0.2), 'id, day, "at", _hw_position'
    window = source.plan(asked)
    uninterrupted, runs = in_chunks(source, asked, window), MemoryRunStore()
    with pytest.raises(BrokenOffError):
        in_chunks(source, asked, window, runs, breaks_after)
    source.sql("insert into flights values (31, 'y', null, now())")
    said: list[str] = []
    again = in_chunks(source, asked, window, runs, said=said)
    assert any(line.startswith(f"flights: {breaks_after} chunks") for line in said)
    assert rows_of(again, shown) == rows_of(uninterrupted, shown)
    assert (again.rows, again.rejected, again.watermark, again.digest) == (
        27, 4, uninterrupted.watermark, uninterrupted.digest)  # fmt: skip
    rejects = [[(r["_hw_rules"], r["_hw_position"]) for r in rejects_of(found)] for found in (again, uninterrupted)]
    assert rejects[0] == rejects[1]
    assert not {row[0] for row in rows_of(again, "_hw_position")} & {position for _, position in rejects[0]}


def test_a_row_committed_late_into_a_chunk_that_was_read_is_found_by_the_lag(source: MariaSource) -> None:
    fill(source, 30)
    asked, runs = table(10, lag="2h"), MemoryRunStore()
    window = source.plan(asked)
    with pytest.raises(BrokenOffError):
        in_chunks(source, asked, window, runs, 1)
    source.sql("insert into flights select 31, 'late', null, min(at) from flights")
    first = in_chunks(source, asked, window, runs)
    assert first.rows == 30
    source.states["flights"] = TableState(
        run_key="i/flights/r1", spec_hash="h", watermark=first.watermark, digest=first.digest
    )
    assert source.plan(asked).note == "late commits below the watermark"


def test_too_much_set_aside_stops_at_the_end_and_a_retry_reads_it_again(source: MariaSource) -> None:
    """The share is of the window, not of a chunk; chunks without rejects are kept."""
    fill(source, 60, "update flights set day = '2013-02-31' where id between 25 and 36")
    asked, runs = table(20), MemoryRunStore()
    window = source.plan(asked)
    with pytest.raises(SourceDataError, match=r"12 of 60 rows.*untypable:day 12"):
        in_chunks(source, asked, window, runs)
    assert len(list(source.folder.glob("*.parquet"))) == 1
    source.sql("update flights set day = null")
    again = in_chunks(source, asked, window, runs)
    assert (again.rows, again.rejected) == (60, 0)


def test_a_window_without_usable_cursors_ends(source: MariaSource) -> None:
    fill(source, 1, "update flights set at = null")
    extracted = in_chunks(source, table(2), source.plan(table(2)))
    assert (extracted.rows, [reject["_hw_rules"] for reject in rejects_of(extracted)]) == (0, ["null_cursor:at"])


def test_a_process_killed_after_a_chunk_leaves_it_to_the_next(mariadb: MariaDb, tmp_path: Path) -> None:
    """Rules 12 and 28, by kill -9 and a ledger on disk: its file keeps the name of the attempt that wrote it."""
    subject = MariaInChunks(mariadb, tmp_path)
    subject.add(range(1, 61))
    window = subject.plan()
    subject.stamp = subject.stamp.model_copy(update={"attempt": "dead"})
    subject.killed(window, "extract.chunk")
    extracted = subject.extract(window)
    assert [row[0] for row in rows_of(extracted, "id")] == list(range(1, 61))
    assert [Path(file.path).name.startswith("dead-") for file in extracted.files] == [True, False, False]
    assert len(list(subject.folder.glob("*.parquet"))) == 3
