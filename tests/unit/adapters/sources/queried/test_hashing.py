"""The canonical text of every type in the SQL of its make, word by word; a parser of the dialect takes each."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot
from tests.unit.adapters.sources.queried.recorded import ORACLE, SQLSERVER

from headwater.adapters.sources.oracle.canonical import OracleHashing
from headwater.adapters.sources.oracle.carrying import carried as oracle_column
from headwater.adapters.sources.oracle.database import Oracle
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.hashing import hashed, hashes
from headwater.adapters.sources.sqlserver.canonical import SqlServerHashing
from headwater.adapters.sources.sqlserver.carrying import carried as sqlserver_column
from headwater.adapters.sources.sqlserver.database import SqlServer

BYTES = "COLLATE Latin1_General_100_BIN2"


def of_sqlserver(kind: str, length: int = 8, precision: int = 19, scale: int = 0) -> QueriedColumn:
    return sqlserver_column("a", kind, length, precision, scale, nullable=True)


def of_oracle(kind: str, length: int = 22, precision: int | None = None, scale: int | None = None) -> QueriedColumn:
    return oracle_column("A", kind, length, precision, scale, nullable=True)


def parsed(text: str, dialect: str) -> str:
    assert sqlglot.parse_one(f"SELECT {text} FROM x t", dialect=dialect) is not None
    return text


BITS = "CONVERT(varchar(20), CONVERT(bigint, CONVERT(binary(8), CONVERT(float, t.[a]))))"
STAMP = "CONVERT(varchar(27), t.[a], 121)"
STRIPPED = (
    "CASE WHEN SUBSTRING({0}, 21, 7) LIKE '%[1-9]%' THEN LEFT({0}, 19) + '.' + "
    "REPLACE(RTRIM(REPLACE(SUBSTRING({0}, 21, 7), '0', ' ')), ' ', '0') ELSE LEFT({0}, 19) END"
)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (of_sqlserver("bigint"), "CONVERT(varchar(20), t.[a])"),
        (of_sqlserver("decimal", scale=4), "CONVERT(varchar(41), t.[a])"),
        (of_sqlserver("money"), "CONVERT(varchar(40), t.[a], 2)"),
        (of_sqlserver("bit"), "CASE t.[a] WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"),
        (of_sqlserver("real"), f"CASE WHEN t.[a] = 0 THEN '0' ELSE {BITS} END"),
        (of_sqlserver("date"), "CONVERT(char(10), t.[a], 23)"),
        (of_sqlserver("smalldatetime"), "CONVERT(char(19), t.[a], 120)"),
        (of_sqlserver("datetime"), STRIPPED.format("CONVERT(char(23), t.[a], 121)")),
        (of_sqlserver("datetime2", scale=7), STRIPPED.format(STAMP)),
        (
            of_sqlserver("datetimeoffset", scale=3),
            STRIPPED.format("CONVERT(varchar(27), CONVERT(datetime2(3), SWITCHOFFSET(t.[a], '+00:00')), 121)")
            + " + '+00'",
        ),
        (of_sqlserver("nvarchar"), f"CONVERT(nvarchar(max), t.[a]) {BYTES}"),
        (of_sqlserver("uniqueidentifier"), f"CONVERT(nvarchar(max), LOWER(CONVERT(char(36), t.[a]))) {BYTES}"),
        (of_sqlserver("image"), f"LOWER(CONVERT(varchar(max), CONVERT(varbinary(max), t.[a]), 2)) {BYTES}"),
    ],
)
def test_sqlserver_writes_the_canonical_text(column: QueriedColumn, text: str) -> None:
    assert parsed(SqlServerHashing().text(column, "t.[a]"), "tsql") == text


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (of_oracle("NUMBER", precision=10, scale=0), "TO_CHAR(t.\"A\", 'TM9')"),
        (of_oracle("NUMBER", precision=12, scale=4), "TO_CHAR(t.\"A\", 'FM99999990.0000')"),
        (of_oracle("NUMBER", precision=2, scale=5), "TO_CHAR(t.\"A\", 'FM0.00000')"),
        (of_oracle("NUMBER", precision=5, scale=-2), "TO_CHAR(t.\"A\", 'FM9999990')"),
        (of_oracle("NUMBER", scale=0), f"TO_CHAR(t.\"A\", 'FM{'9' * 37}0')"),
        (of_oracle("NUMBER"), "REGEXP_REPLACE(TO_CHAR(t.\"A\", 'TM9'), '^(-?)\\.', '\\10.')"),
        (of_oracle("BOOLEAN"), "CASE WHEN t.\"A\" THEN 'true' WHEN NOT t.\"A\" THEN 'false' END"),
        (of_oracle("DATE"), "LTRIM(TO_CHAR(t.\"A\", 'SYYYY-MM-DD HH24:MI:SS'))"),
        (of_oracle("TIMESTAMP(0)", scale=0), "LTRIM(TO_CHAR(t.\"A\", 'SYYYY-MM-DD HH24:MI:SS'))"),
        (
            of_oracle("TIMESTAMP(6) WITH TIME ZONE", scale=6),
            "RTRIM(RTRIM(LTRIM(TO_CHAR(SYS_EXTRACT_UTC(t.\"A\"), 'SYYYY-MM-DD HH24:MI:SS.FF6')), '0'), '.') || '+00'",
        ),
        (of_oracle("VARCHAR2"), 't."A"'),
        (of_oracle("NVARCHAR2"), 'TO_CHAR(t."A")'),
        (of_oracle("RAW"), 'LOWER(RAWTOHEX(t."A"))'),
        (of_oracle("INTERVAL DAY(2) TO SECOND(6)"), 'TO_CHAR(t."A")'),
        (of_oracle("ROWID"), 'ROWIDTOCHAR(t."A")'),
    ],
)
def test_oracle_writes_the_canonical_text(column: QueriedColumn, text: str) -> None:
    found = OracleHashing().text(column, 't."A"')
    assert found is not None
    assert parsed(found, "oracle") == text


@pytest.mark.parametrize(
    "kind",
    [
        "CLOB",
        "NCLOB",
        "BLOB",
        "LONG",
        "LONG RAW",
        "XMLTYPE",
        "JSON",
        "VECTOR",
        "UROWID",
        "BINARY_FLOAT",
        "BINARY_DOUBLE",
    ],
)
def test_oracle_is_not_asked_to_hash_what_it_cannot(kind: str) -> None:
    """Large values need a grant, bits of floats a package: their relations are read."""
    assert OracleHashing().text(of_oracle(kind), 't."A"') is None
    assert not hashes([of_oracle(kind)], Oracle(ORACLE), OracleHashing())
    with pytest.raises(TypeError):
        hashed([of_oracle(kind)], Oracle(ORACLE), OracleHashing(), as_null=False)


def test_sqlserver_tells_null_and_length_apart() -> None:
    hashing = SqlServerHashing()
    assert hashing.piece("x", textual=False) == "COALESCE(x, '-'), '|'"
    assert parsed(hashing.piece("x", textual=True), "tsql") == (
        "CASE WHEN x IS NULL THEN N'-' ELSE CONCAT(CONVERT(varchar(20), "
        "LEN(CONCAT(x, N'.') COLLATE Latin1_General_100_CI_AS_SC) - 1), N':', x) END"
    )


def test_oracle_tells_null_and_length_apart() -> None:
    hashing = OracleHashing()
    assert hashing.piece("x", textual=False) == "COALESCE(x, '-') || '|'"
    expected = "CASE WHEN x IS NULL THEN '-' ELSE TO_CHAR(LENGTH4(x)) || ':' || x END"
    assert parsed(hashing.piece("x", textual=True), "oracle") == expected


def test_sqlserver_hashes_utf8_of_a_text_of_any_length_and_of_any_number_of_columns() -> None:
    """CONCAT takes 254 values, and cuts off at 8000 bytes unless one of them may be longer."""
    columns = [sqlserver_column(f"c{n}", "int", 4, 10, 0, nullable=True) for n in range(500)]
    statement = parsed(hashed(columns, SqlServer(SQLSERVER), SqlServerHashing(), as_null=False), "tsql")
    assert statement.startswith("HASHBYTES('MD5', CONVERT(varchar(max), CONCAT(CONVERT(nvarchar(max), N''), CONCAT(")
    assert statement.endswith(" COLLATE Latin1_General_100_BIN2_UTF8))")
    called = sqlglot.parse_one(statement, dialect="tsql").find_all(sqlglot.exp.Concat)
    assert max(len(item.expressions) for item in called) <= 254
    assert sum(statement.count(f"[c{n}]") for n in range(500)) == 500


def test_four_bytes_are_a_number_and_buckets_are_whole() -> None:
    tsql, oracle = SqlServerHashing(), OracleHashing()
    assert tsql.shifted(tsql.number("h", 4), 30) == "CONVERT(bigint, SUBSTRING(h, 5, 4)) / CONVERT(bigint, 1073741824)"
    expected = "TRUNC(TO_NUMBER(SUBSTR(RAWTOHEX(h), 9, 8), 'XXXXXXXX') / 1073741824)"
    assert oracle.shifted(oracle.number("h", 4), 30) == expected
    assert tsql.shown("h") == "LOWER(CONVERT(char(32), h, 2))"
    assert oracle.shown("h") == "LOWER(RAWTOHEX(h))"


def test_oracle_is_asked_for_the_length_of_rows_that_may_be_too_long() -> None:
    short = [of_oracle("VARCHAR2", length=100), of_oracle("NUMBER", precision=9, scale=0)]
    assert OracleHashing().fits(short) is None
    long = [of_oracle("VARCHAR2", length=4000), of_oracle("RAW", length=10), of_oracle("DATE")]
    assert OracleHashing().fits(long) == ('COALESCE(LENGTHB(t."A"), 0) + 2 * COALESCE(LENGTHB(t."A"), 0) + 76 <= 4000')


def test_what_no_type_holds_is_null_in_a_hash_where_that_is_the_policy() -> None:
    day = of_oracle("DATE")
    found = hashed([day], Oracle(ORACLE), OracleHashing(), as_null=True)
    assert "CASE WHEN t.\"A\" < DATE '0001-01-01' THEN NULL ELSE LTRIM(" in parsed(found, "oracle")


@pytest.mark.parametrize(
    ("column", "text", "condition"),
    [
        (of_sqlserver("bigint"), "-7", "t.[a] = -7"),
        (of_sqlserver("bit"), "true", "t.[a] = 1"),
        (of_sqlserver("nvarchar"), "o'ä", "t.[a] = N'o''ä'"),
        (of_sqlserver("xml"), "<a/>", "CONVERT(nvarchar(max), t.[a]) = N'<a/>'"),
        (of_sqlserver("uniqueidentifier"), "a-b", "t.[a] = CONVERT(uniqueidentifier, N'a-b')"),
        (of_sqlserver("datetime2", scale=7), "2026-01-01 00:00:00.12",
         "t.[a] = CONVERT(datetime2(7), N'2026-01-01 00:00:00.12', 121)"),
        (of_sqlserver("datetimeoffset", scale=7), "2026-01-01 00:00:00+00",
         "t.[a] = CONVERT(datetimeoffset(7), N'2026-01-01 00:00:00 +00:00', 121)"),
        (of_oracle("NUMBER"), "1.5", 't."A" = 1.5'),
        (of_oracle("BOOLEAN"), "false", 'NOT t."A"'),
        (of_oracle("VARCHAR2"), "o'a", "t.\"A\" = 'o''a'"),
        (of_oracle("NVARCHAR2"), "ä😀", "t.\"A\" = UNISTR('\\00e4\\d83d\\de00')"),
        (of_oracle("DATE"), "2026-01-01 01:02:03",
         "t.\"A\" = TO_DATE('2026-01-01 01:02:03', 'YYYY-MM-DD HH24:MI:SS')"),
    ],
)  # fmt: skip
def test_a_key_is_looked_for_in_its_own_type(column: QueriedColumn, text: str, condition: str) -> None:
    database: Any = SqlServer(SQLSERVER) if column.name == "a" else Oracle(ORACLE)
    assert parsed(database.equal(column, text), "tsql" if column.name == "a" else "oracle") == condition
