"""Rows as the drivers give them become typed rows, quarantine and a digest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.unit.adapters.sources.queried.recorded import (
    ORACLE,
    SQLSERVER,
    RecordedOracle,
    RecordedSession,
    RecordedSqlServer,
    live,
    table,
)

from headwater.adapters.sources.queried.extractor import QueriedExtractor
from headwater.adapters.sources.usual import usual_schema
from headwater.cli.scaffold import write_source
from headwater.domain.errors import SchemaDriftError, SourceDataError, SourceTableMissingError
from headwater.domain.run import RunRequest, Window
from headwater.domain.spec import Owner, TableSpec
from headwater.domain.staging import TableState
from headwater.model.repository import load_repository
from headwater.ports.extractor import BatchStamp, Extracted

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Answers = Mapping[str, Sequence[tuple[Any, ...]]]
STAMP = BatchStamp(run_key="i/erp/r", planned_at=NOW, batch=1, attempt="a")
SQLSERVER_COLUMNS = [
    ("dbo", "orders", "id", "bigint", 8, 19, 0, False),
    ("dbo", "orders", "price", "money", 8, 19, 4, True),
    ("dbo", "orders", "at", "datetime2", 8, 27, 7, True),
    ("dbo", "orders", "photo", "varbinary", -1, 0, 0, True),
]
ORACLE_COLUMNS = [
    ("HR", "ORDERS", "ID", "NUMBER", 22, 10, 0, "N"),
    ("HR", "ORDERS", "RATIO", "BINARY_DOUBLE", 8, None, None, "Y"),
    ("HR", "ORDERS", "AT", "DATE", 7, None, None, "Y"),
]
KEY = "FROM sys.indexes", [("dbo", "orders", 1, True, "id")]


def sqlserver(rows: list[tuple[Any, ...]], **more: list[tuple[Any, ...]]) -> RecordedSqlServer:
    answers: Answers = {"FROM sys.columns": SQLSERVER_COLUMNS, KEY[0]: KEY[1], "problem": rows, **more}
    return RecordedSqlServer(SQLSERVER, RecordedSession(answers))


def oracle(rows: list[tuple[Any, ...]]) -> RecordedOracle:
    return RecordedOracle(ORACLE, RecordedSession({"FROM all_tab_cols": ORACLE_COLUMNS, "problem": rows}))


def extracted(database: Any, spec: TableSpec, folder: Path, digest: str | None = None) -> Extracted:
    extractor = QueriedExtractor(database)
    window = extractor.plan(spec, None, None, RunRequest(), NOW).model_copy(update={"digest": digest})
    return extractor.extract(spec, window, STAMP, live(extractor.inspect(spec)), str(folder))


def rows_of(found: Extracted, columns: str = "*") -> list[tuple[Any, ...]]:
    paths = [file.path.removeprefix("file://") for file in (found.files or found.rejects)]
    return duckdb.sql(f"SELECT {columns} FROM read_parquet({paths}) ORDER BY ALL").fetchall()


def test_sqlserver_rows_keep_every_digit_and_byte(tmp_path: Path) -> None:
    rows = [
        (None, "9223372036854775807", "-922337203685477.5808", "2026-01-01 00:00:00.1234560", b"\0\xff"),
        (None, "2", None, None, None),
    ]
    found = extracted(sqlserver(rows), table(key=("id",)), tmp_path)
    assert rows_of(found, 'id, price::VARCHAR, "at"::VARCHAR, hex(photo)') == [
        (2, None, None, None),
        (9223372036854775807, "-922337203685477.5808", "2026-01-01 00:00:00.123456", "00FF"),
    ]


def test_what_lies_below_a_microsecond_goes_to_quarantine_whole(tmp_path: Path) -> None:
    """Rule 30: never cut off."""
    rows = [(None, str(n), None, "2026-01-01 00:00:00.0000000", None) for n in range(9)]
    found = extracted(sqlserver([*rows, (None, "9", None, "2026-01-01 00:00:00.1234567", None)]), table(), tmp_path)
    assert (found.rows, found.rejected) == (9, 1)
    [(rules, payload)] = rows_of(found.model_copy(update={"files": ()}), "_hw_rules, _hw_payload")
    assert rules == "untypable:at"
    assert json.loads(payload)["at"] == "2026-01-01 00:00:00.1234567"


def test_the_same_content_is_appended_once(tmp_path: Path) -> None:
    """Rule 28, whatever order the rows come in."""
    rows = [(None, "1", None, None, None), (None, "2", None, None, None)]
    first = extracted(sqlserver(rows), table(), tmp_path / "1")
    again = extracted(sqlserver(rows[::-1]), table(), tmp_path / "2", first.digest)
    assert (again.digest, again.files) == (first.digest, ())


def test_all_of_a_read_is_asked_in_one_moment(tmp_path: Path) -> None:
    database = sqlserver([(None, "1", None, None, None)])
    extracted(database, table(), tmp_path)
    begin, end = database.session.asked.index("begin"), database.session.asked.index("end")
    assert [" AS problem" in query for query in database.session.asked[begin + 1 : end]] == [True]


@pytest.mark.parametrize("ratio", [float("nan"), float("inf"), float("-inf")])
def test_oracle_floats_that_are_no_numbers_go_to_quarantine_or_stop(ratio: float, tmp_path: Path) -> None:
    rows = [(None, "1", ratio, "2026-01-01 00:00:00")]
    found = extracted(oracle(rows), table(), tmp_path)
    assert (found.rows, found.rejected) == (0, 1)
    with pytest.raises(SourceDataError, match="RATIO"):
        extracted(oracle(rows), table(non_finite="stop"), tmp_path)


def test_oracle_dates_have_a_time_and_years_before_1_are_none(tmp_path: Path) -> None:
    rows = [(None, "1", 0.1, "2026-01-01 23:59:59"), (None, "2", None, "-4712-01-01 00:00:00")]
    found = extracted(oracle(rows), table(), tmp_path)
    assert rows_of(found, '"ID", "RATIO", "AT"::VARCHAR') == [(1, 0.1, "2026-01-01 23:59:59")]
    assert found.rejected == 1
    with pytest.raises(SourceDataError, match="AT"):
        extracted(oracle(rows), table(non_finite="stop"), tmp_path)


def test_a_window_goes_from_the_watermark_to_what_is_settled() -> None:
    """Rules 6, 7."""
    answers: Answers = {
        "COUNT(CASE": [(0, 0)],
        "MAX(t.[at])": [("2026-01-01 11:00:00.0000000",)],
        "SYSUTCDATETIME(), 121": [("2026-01-01 12:00:00.000000", 0)],
        "HAS_PERMS_BY_NAME": [(1,)],
        "dm_tran_active_transactions": [(60,)],
    }
    database = sqlserver([])
    database.session.answers = {**answers, **database.session.answers}
    spec = table(mode="incremental", cursor="at")
    state = TableState(batch=1, run_key="i/erp/q", spec_hash="s", watermark="2026-01-01 10:00:00.0000000")
    window = QueriedExtractor(database).plan(spec, state, None, RunRequest(), NOW)
    assert (window.low, window.high) == ("2026-01-01 10:00:00.0000000", "2026-01-01 11:00:00.0000000")
    assert any(
        "< CONVERT(datetime2(7), N'2026-01-01 11:58:59.0000000', 121)" in query for query in database.session.asked
    )


def test_rows_without_a_usable_cursor_reach_quarantine(tmp_path: Path) -> None:
    database = sqlserver(
        [("null_cursor", "1", None, None, None), (None, "2", None, "2026-01-01 00:00:00.0000000", None)]
    )
    spec = table(mode="incremental", cursor="at")
    window = Window(kind="incremental", high="2026-01-01 00:00:00.0000000", null_cursors=1, advances_watermark=True)
    database.session.answers = {"COUNT(CASE": [(1, 0)], **database.session.answers}
    extractor = QueriedExtractor(database)
    found = extractor.extract(spec, window, STAMP, live(extractor.inspect(spec)), str(tmp_path))
    assert (found.rows, found.rejected, found.watermark) == (1, 1, window.high)
    assert rows_of(found.model_copy(update={"files": ()}), "_hw_rules") == [("null_cursor:at",)]


def test_a_read_that_fails_ends_its_session(tmp_path: Path) -> None:
    """Its transaction would hold back writers, or row versions."""
    database = oracle([(None, "1", float("nan"), None)])
    with pytest.raises(SourceDataError):
        extracted(database, table(non_finite="stop"), tmp_path)
    assert database.session.asked[-1] == "close"
    assert "end" not in database.session.asked


def test_a_missing_relation_names_similar_ones() -> None:
    session = RecordedSession({"FROM sys.objects": [("dbo", "orders"), ("dbo", "people")]})
    with pytest.raises(SourceTableMissingError, match=r"dbo\.order ") as caught:
        QueriedExtractor(RecordedSqlServer(SQLSERVER, session)).inspect(table("order"))
    assert caught.value.allowed == "dbo.orders"


def test_a_column_that_cannot_be_carried_is_refused_by_name() -> None:
    columns = [*SQLSERVER_COLUMNS, ("dbo", "orders", "any", "sql_variant", 8016, 0, 0, True)]
    session = RecordedSession({"FROM sys.columns": columns})
    with pytest.raises(SchemaDriftError, match="'any'"):
        QueriedExtractor(RecordedSqlServer(SQLSERVER, session)).inspect(table())


def test_offers_have_keys_and_cursors_and_what_cannot_be_read() -> None:
    columns = [*SQLSERVER_COLUMNS, ("dbo", "orders", "rv", "timestamp", 8, 0, 0, False),
               ("dbo", "odd", "any", "sql_variant", 8016, 0, 0, True)]  # fmt: skip
    session = RecordedSession({
        "FROM sys.columns": columns, KEY[0]: KEY[1],
        "FROM sys.objects": [("dbo", "orders", 5, "what was  bought"), ("dbo", "odd", None, None)],
    })  # fmt: skip
    orders, odd = QueriedExtractor(RecordedSqlServer(SQLSERVER, session)).list_relations()
    assert (orders.relation, orders.primary_key, orders.cursor_candidates) == ("dbo.orders", ("id",), ("rv", "id"))
    assert (orders.estimated_rows, orders.comment, orders.problem) == (5, "what was bought", None)
    assert "any" in (odd.problem or "")


def test_what_new_source_writes_of_an_offer_passes_at_once(tmp_path: Path) -> None:
    offers: dict[str, Any] = {
        "erp": RecordedSqlServer(SQLSERVER, RecordedSession({
            "FROM sys.columns": SQLSERVER_COLUMNS, KEY[0]: KEY[1], "FROM sys.objects": [("dbo", "orders", 5, None)],
        })),
        "hr": RecordedOracle(ORACLE, RecordedSession({
            "FROM all_tab_cols": ORACLE_COLUMNS, "FROM all_constraints": [("HR", "ORDERS", "PK", "P", "ID")],
            "FROM all_tables": [("HR", "ORDERS", 5, None)],
        })),
    }  # fmt: skip
    for name, database in offers.items():
        found = QueriedExtractor(database).list_relations()
        assert [item.relation.partition(".")[0] for item in found] == [usual_schema(database.connection)]
        write_source(tmp_path, name, name, Owner(team="erp", email=("erp@example.com",)), found)
    repository = load_repository(tmp_path)
    assert [str(error) for error in repository.errors] == []
    keys = {source.name: {item.name: item.key for item in source.tables} for source in repository.sources}
    assert keys == {"erp": {"orders": ("id",)}, "hr": {"orders": ("ID",)}}


def test_oracle_names_without_capitals_are_those_of_sql() -> None:
    database = oracle([])
    QueriedExtractor(database).inspect(table("orders"))
    assert "c.owner = 'HR' AND c.table_name = 'ORDERS'" in database.session.asked[0]
    assert database.folded("Mixed") == "Mixed"
