from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from headwater.adapters.duckdb.query import query
from headwater.domain.errors import HeadwaterError, NotFoundError, QueryRefusedError
from headwater.domain.names import TableName
from headwater.domain.release import Release, ReleasedTable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _release(*tables: ReleasedTable, status: str = "published") -> Release:
    return Release.model_validate(
        {"id": "r-20260101T000000-00000000", "run_key": "a/b/c", "pipeline": "flights", "kind": "audited"}
        | {"status": status, "created_at": NOW, "tables": tables}
    )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ware'house")


@pytest.fixture(scope="module")
def snapshots(warehouse: Path) -> list[ReleasedTable]:
    """Two states of one silver table: three rows of which one is deleted, then a fourth."""
    catalog = SqlCatalog("lake", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=str(warehouse))
    catalog.create_namespace("silver")
    rows = pa.table(
        {"n": pa.array([1, 2, 3], pa.int64()), "_hw_deleted": [False, None, True], "_hw_batch": pa.array([1, 1, 1])}
    )
    table = catalog.create_table("silver.flights__flights", schema=rows.schema)
    name = TableName.parse("silver.flights.flights")
    states = []
    for part in (rows, rows.slice(0, 1)):
        table.append(part)
        snapshot = table.current_snapshot()
        assert snapshot is not None
        location = table.metadata_location
        states.append(ReleasedTable(table=name, snapshot_id=snapshot.snapshot_id, metadata_location=location))
    catalog.close()
    return states


def test_a_query_imports_no_pandas() -> None:
    """It is asked for on a command line, and would wait for it longer than for the rest."""
    code = (
        "import sys; from headwater.adapters.duckdb.query import query; print(query('SELECT 1 AS a', [], '/').rows);"
        "sys.exit('pandas' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "((1,),)\n"
    )


def test_release_is_read_as_it_was_without_deleted_keys_and_our_columns(
    warehouse: Path, snapshots: list[ReleasedTable]
) -> None:
    older, newer = (_release(state) for state in snapshots)
    sql = "SELECT * FROM silver.flights.flights ORDER BY n"
    assert query(sql, [older], str(warehouse)).objects() == [{"n": 1}, {"n": 2}]
    assert query(sql, [newer], str(warehouse)).rows == ((1,), (1,), (2,))
    # the newer metadata file still knows the older snapshot
    both = snapshots[1].model_copy(update={"snapshot_id": snapshots[0].snapshot_id})
    assert query(sql, [_release(both)], str(warehouse)).rows == ((1,), (2,))


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "SELECT 1; SELECT 2",
        "CREATE TABLE silver.flights.t AS SELECT 1",
        "SELECT * FROM read_text('{folder}/secret')",
        "SELECT (SELECT count(*) FROM glob('{folder}/*'))",
        "WITH t AS (SELECT * FROM iceberg_scan('{folder}')) SELECT * FROM t",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM query('SELECT 1')",
        "SET enable_external_access = true",
        "SELECT * FROM silver.flights.planes",
        "SELEC 1",
        "",
    ],
)
def test_everything_but_reading_the_release_is_refused(
    warehouse: Path, snapshots: list[ReleasedTable], sql: str
) -> None:
    (warehouse / "secret.csv").write_text("a\n1\n")
    before = sorted(warehouse.iterdir())
    with pytest.raises(QueryRefusedError):
        query(sql.format(folder=str(warehouse).replace("'", "''")), [_release(snapshots[0])], str(warehouse))
    assert sorted(warehouse.iterdir()) == before


def test_columns_of_one_name_are_all_kept(warehouse: Path, snapshots: list[ReleasedTable]) -> None:
    result = query("SELECT 1 AS n, 2 AS n, 3 AS n_2, 4 AS n", [_release(snapshots[0])], str(warehouse))
    assert set(result.objects()[0].values()) == {1, 2, 3, 4}
    assert len(result.objects()[0]) == 4


def test_plain_table_functions_are_allowed(warehouse: Path, snapshots: list[ReleasedTable]) -> None:
    sql = "SELECT count(*) AS n FROM silver.flights.flights, range(3)"
    assert query(sql, [_release(snapshots[0])], str(warehouse)).objects() == [{"n": 6}]


def test_unpublished_release_shows_nothing(warehouse: Path, snapshots: list[ReleasedTable]) -> None:
    with pytest.raises(NotFoundError, match="not published"):
        query("SELECT 1", [_release(snapshots[0], status="aborted")], str(warehouse))
    assert issubclass(NotFoundError, HeadwaterError)


def test_a_release_past_the_retention_is_refused_with_words(warehouse: Path, snapshots: list[ReleasedTable]) -> None:
    gone = snapshots[0].model_copy(update={"metadata_location": f"{warehouse}/gone/00001-a.metadata.json"})
    with pytest.raises(QueryRefusedError, match="retention"):
        query("SELECT * FROM silver.flights.flights", [_release(gone)], str(warehouse))


def test_what_python_has_no_value_for_is_a_word(warehouse: Path) -> None:
    """DuckDB's client makes the last instant of an infinity, which is somebody's real value, and 30 days of a month."""
    sql = (
        "SELECT 'infinity'::TIMESTAMP AS t, '9999-12-31 23:59:59.999999'::TIMESTAMP AS t, '-infinity'::DATE AS d, "
        "'infinity'::TIMESTAMPTZ AS z, NULL::DATE AS n, INTERVAL '1 month 2 days' AS i, 'ab'::BLOB AS b; -- a remark"
    )
    (row,) = query(sql, [], str(warehouse)).objects()
    last = datetime.max
    assert row == {"t": "infinity", "t_2": last, "d": "-infinity", "z": "infinity", "n": None,
                   "i": "1 month 2 days", "b": b"ab"}  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "said", "lists_tables"),
    [
        ("SELECT nobody FROM range(3) AS t(n)", 'column "nobody" not found', False),
        ("SELECT n, (n || 'x')::DATE AS d FROM range(3) AS t(n)", "invalid date field format", False),
        ("SELECT * FROM silver.flights.nobody", "does not exist", True),
    ],
)
def test_a_refusal_shows_only_what_was_asked(
    warehouse: Path, snapshots: list[ReleasedTable], sql: str, said: str, lists_tables: bool
) -> None:
    """DuckDB shows the line at fault, which is one of SQL made around the query: nobody would know it."""
    with pytest.raises(QueryRefusedError) as caught:
        query(sql, [_release(snapshots[0])], str(warehouse))
    got = str(caught.value.got)
    assert said in got
    assert "LINE" not in got
    assert (caught.value.allowed is not None) == lists_tables


def test_rows_keep_the_order_of_the_query(warehouse: Path) -> None:
    sql = "SELECT n, make_date(2013, 1, 1) FROM range(200000) AS t(n) ORDER BY n % 7, n DESC"
    found = [row[0] for row in query(sql, [], str(warehouse)).rows]
    assert found == sorted(range(200000), key=lambda n: (n % 7, -n))
