"""A window of MariaDB read in chunks is the window, whatever its collations, NULL keys, ties and zero dates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.sources.chunks_under_test import in_chunks
from tests.integration.sources.mariadb_under_test import MariaDb, MariaInChunks, MariaSource
from tests.integration.sources.sources_under_test import rows_of, sql_table

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.keyset import keyset
from headwater.domain.spec import TableSpec

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
