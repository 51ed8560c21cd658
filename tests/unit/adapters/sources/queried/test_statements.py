"""The statements of a read, word by word; each is understood by a parser of its dialect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlglot
from tests.unit.adapters.sources.queried.recorded import ORACLE, SQLSERVER, table

from headwater.adapters.sources.oracle import carrying as oracle_carrying
from headwater.adapters.sources.oracle.database import Oracle
from headwater.adapters.sources.queried import statements
from headwater.adapters.sources.queried.cursors import Cursor
from headwater.adapters.sources.queried.database import Clock
from headwater.adapters.sources.queried.surveying import settled
from headwater.adapters.sources.sqlserver import carrying as sqlserver_carrying
from headwater.adapters.sources.sqlserver.database import SqlServer
from headwater.domain.errors import SpecError
from headwater.domain.spec import SqlExtract

ID = sqlserver_carrying.carried("id", "bigint", 8, 19, 0, nullable=False)
CHANGED = sqlserver_carrying.carried("changed]at", "datetime2", 8, 27, 7, nullable=True)
VERSION = sqlserver_carrying.carried("rv", "timestamp", 8, 0, 0, nullable=False)
ORA_ID = oracle_carrying.carried("ID", "NUMBER", 22, 10, 0, nullable=False)
ORA_RATIO = oracle_carrying.carried("RATIO", "BINARY_DOUBLE", 8, None, None, nullable=True)
ORA_CHANGED = oracle_carrying.carried("CHANGED", "TIMESTAMP(6) WITH TIME ZONE", 13, None, 6, nullable=True)
ORA_DAY = oracle_carrying.carried("DAY", "DATE", 7, None, None, nullable=True)
SERVER, ORACLE_SERVER = SqlServer(SQLSERVER), Oracle(ORACLE)
CLOCK = Clock(datetime(2026, 1, 1, 12, 0, 0, 500), timedelta(hours=1), oldest_seconds=90)


def parsed(statement: str, dialect: str) -> str:
    assert sqlglot.parse_one(statement, dialect=dialect) is not None
    return statement


def test_sqlserver_snapshot() -> None:
    statement = statements.selected((ID, CHANGED), ("dbo", "or]ders"), SERVER, None, "1 = 1", False, "quarantine")
    assert parsed(statement, "tsql") == (
        "SELECT NULL AS problem, CONVERT(varchar(20), t.[id]) AS c0, CONVERT(varchar(27), t.[changed]]at], 121) AS c1 "
        "FROM [dbo].[or]]ders] t WHERE 1 = 1"
    )


def test_sqlserver_window_takes_ties_at_its_high_bound_and_rows_without_a_cursor() -> None:
    cursor = Cursor(CHANGED, SERVER)
    inside = cursor.inside("2026-01-01 00:00:00.0000000", "2026-01-02 00:00:00.1234567")
    statement = statements.selected((ID,), ("dbo", "orders"), SERVER, cursor, inside, True, "quarantine")
    future = "t.[changed]]at] > DATEADD(DAY, 1, SYSUTCDATETIME())"
    assert parsed(statement, "tsql") == (
        f"SELECT CASE WHEN t.[changed]]at] IS NULL THEN 'null_cursor' WHEN {future} THEN 'future_cursor' END "
        "AS problem, "
        "CONVERT(varchar(20), t.[id]) AS c0 FROM [dbo].[orders] t WHERE "
        "(t.[changed]]at] <= CONVERT(datetime2(7), N'2026-01-02 00:00:00.1234567', 121) "
        "AND t.[changed]]at] > CONVERT(datetime2(7), N'2026-01-01 00:00:00.0000000', 121)) "
        f"OR t.[changed]]at] IS NULL OR {future}"
    )


def test_sqlserver_reads_up_to_now_and_before_the_oldest_open_transaction() -> None:
    """Rule 6; the later reading of a local time is "now", the earlier is "open since", less a second."""
    condition = settled(Cursor(CHANGED, SERVER), CLOCK)
    assert condition == (
        "t.[changed]]at] >= CONVERT(datetime2(7), N'0001-01-01', 121) "
        "AND t.[changed]]at] <= CONVERT(datetime2(7), N'2026-01-01 13:00:00.0005000', 121) "
        "AND t.[changed]]at] < CONVERT(datetime2(7), N'2026-01-01 11:58:29.0005000', 121)"
    )
    statement = statements.highest(("dbo", "orders"), Cursor(CHANGED, SERVER), condition)
    assert parsed(statement, "tsql").startswith("SELECT CONVERT(varchar(27), MAX(t.[changed]]at]), 121) FROM ")


def test_sqlserver_versions_are_read_below_the_oldest_that_is_open() -> None:
    """Rule 6, exactly: the server itself says which versions are still being given."""
    cursor = Cursor(VERSION, SERVER)
    assert settled(cursor, CLOCK) == "t.[rv] < MIN_ACTIVE_ROWVERSION()"
    assert cursor.inside("00000000000007d0", "00000000000007d1") == (
        "t.[rv] <= CONVERT(binary(8), 0x00000000000007D1) AND t.[rv] > CONVERT(binary(8), 0x00000000000007D0)"
    )
    assert min("0000000000001000", "00000000000007d0", key=cursor.order) == "00000000000007d0"


def test_oracle_snapshot_makes_null_of_what_no_type_holds_where_asked_to() -> None:
    columns, relation = (ORA_ID, ORA_RATIO), ("HR", "ORDERS")
    statement = statements.selected(columns, relation, ORACLE_SERVER, None, "1 = 1", False, "null")
    assert parsed(statement, "oracle") == (
        "SELECT NULL AS problem, TO_CHAR(t.\"ID\", 'TM9') AS c0, "
        'CASE WHEN (t."RATIO" IS NAN OR t."RATIO" IS INFINITE) THEN NULL ELSE t."RATIO" END AS c1 '
        'FROM "HR"."ORDERS" t WHERE 1 = 1'
    )


def test_oracle_window_of_a_day_is_one_an_index_on_it_can_answer() -> None:
    cursor = Cursor(ORA_DAY, ORACLE_SERVER)
    assert cursor.inside("2026-01-01 00:00:00", "2026-01-02 00:00:00") == (
        "t.\"DAY\" <= TO_DATE('2026-01-02 00:00:00', 'YYYY-MM-DD HH24:MI:SS') "
        "AND t.\"DAY\" > TO_DATE('2026-01-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')"
    )
    assert cursor.is_future() == "t.\"DAY\" > CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) + INTERVAL '1' DAY AS DATE)"


def test_oracle_instants_are_compared_in_utc_whatever_zone_they_have() -> None:
    """Rules 6, 30: the server's own zone says nothing about an instant."""
    condition = settled(Cursor(ORA_CHANGED, ORACLE_SERVER), CLOCK)
    shape = "'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM'"
    assert condition == (
        "t.\"CHANGED\" >= DATE '0001-01-01' "
        f"AND t.\"CHANGED\" <= TO_TIMESTAMP_TZ('2026-01-01 12:00:00.000500 +00:00', {shape}) "
        f"AND t.\"CHANGED\" < TO_TIMESTAMP_TZ('2026-01-01 11:58:29.000500 +00:00', {shape})"
    )
    statement = statements.unusable_counts(("HR", "ORDERS"), Cursor(ORA_CHANGED, ORACLE_SERVER))
    assert "t.\"CHANGED\" > SYSTIMESTAMP + INTERVAL '1' DAY" in parsed(statement, "oracle")


def test_a_backfill_ends_just_before_its_upper_instant() -> None:
    cursor = Cursor(CHANGED, SERVER)
    assert cursor.before(datetime(2026, 2, 1, tzinfo=UTC)) == "2026-01-31 23:59:59.9999999"


def test_the_lag_goes_back_from_the_watermark() -> None:
    assert Cursor(CHANGED, SERVER).below("2026-01-01 02:00:00.1234567", timedelta(hours=2)) == (
        "2026-01-01 00:00:00.1234560"
    )


@pytest.mark.parametrize(
    ("cursor", "lag"), [("gone", timedelta(0)), ("name", timedelta(0)), ("id", timedelta(hours=1))]
)
def test_a_cursor_grows_and_only_times_have_a_lag(cursor: str, lag: timedelta) -> None:
    name = sqlserver_carrying.carried("name", "nvarchar", 80, 0, 0, nullable=True)
    extract = SqlExtract(mode="incremental", cursor=cursor, lag=lag)
    with pytest.raises(SpecError):
        Cursor.of(table(), extract, (ID, name), SERVER)
