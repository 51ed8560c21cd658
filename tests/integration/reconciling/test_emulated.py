"""SQL Server and Oracle, as far as an emulation goes: every type has one text on both sides; what a server cannot hash
is read; a server that hashes otherwise than its values say is refused, and nothing is told of its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.integration.reconciling.emulated_servers import Answers
from tests.integration.reconciling.lake_under_test import Lake
from tests.integration.reconciling.shops_under_test import EmulatedSource

from headwater.adapters.reconciling import OffloadedSides
from headwater.adapters.sources.oracle import canonical as oracle_canonical
from headwater.adapters.sources.sqlserver.canonical import SqlServerHashing
from headwater.domain.errors import RequestError
from headwater.domain.spec import Silver, SqlExtract, TableSpec

SQLSERVER_TYPES = {
    "id": ("bigint", "bigint", 8, 19, 0),
    "region": ("varchar", "nvarchar", 18, 0, 0),
    "seen": ("timestamptz", "datetimeoffset", 10, 34, 7),
    "flag": ("boolean", "bit", 1, 1, 0),
    "real4": ("real", "real", 4, 24, 0),
    "real8": ("double", "float", 8, 53, 0),
    "exact": ("decimal(12,4)", "decimal", 9, 12, 4),
    "cash": ("decimal(19,4)", "money", 8, 19, 4),
    "day": ("date", "date", 3, 10, 0),
    "local": ("timestamp", "datetime2", 8, 27, 7),
    "raw": ("blob", "varbinary", -1, 0, 0),
}
ORACLE_TYPES: dict[str, tuple[Any, ...]] = {
    "id": ("bigint", "NUMBER", 22, 18, 0),
    "region": ("varchar", "NVARCHAR2", 2000, None, None),
    "seen": ("timestamptz", "TIMESTAMP(6) WITH TIME ZONE", 13, None, 6),
    "flag": ("boolean", "BOOLEAN", 1, None, None),
    "exact": ("decimal(12,4)", "NUMBER", 22, 12, 4),
    "thin": ("decimal(3,3)", "NUMBER", 22, 3, 3),
    "day": ("timestamp", "DATE", 7, None, None),
    "local": ("timestamp", "TIMESTAMP(6)", 11, None, 6),
    "raw": ("blob", "RAW", 2000, None, None),
}
VALUES = {
    "id": ["1", "-2", "3", "9223372036854775"],
    "region": ["'a'", "'Ä|ö😀'", "' '", "'3:x '"],
    "seen": ["'2013-01-31 05:00:00.12+00'", "'1969-12-31 23:59:59.999999+00'", "'2013-01-01 00:00:00+00'",
           "'2024-02-29 12:00:00.000001+02'"],
    "flag": ["true", "false", "null", "true"],
    "real4": ["0.1", "'-0.0'", "1e-45", "3.4028235e38"],
    "real8": ["0.1", "'-0.0'", "5e-324", "-1.7976931348623157e308"],
    "exact": ["1.5", "-0.0001", "null", "99999999.9999"],
    "thin": ["0.05", "-0.999", "null", "0"],
    "cash": ["12.5", "-0.01", "null", "922337203685477.5807"],
    "day": ["'2013-01-31'", "'0001-01-01'", "null", "'9999-12-31'"],
    "local": ["'2013-01-31 05:00:00.000001'", "'9999-12-31 23:59:59.999999'", "null", "'1970-01-01 00:00:00'"],
    "raw": [r"'\x00\xff'", "''", "null", "'|'"],
}  # fmt: skip
EVERY = TableSpec(
    name="every",
    key=("id", "region", "seen"),
    extract=SqlExtract.model_validate({"mode": "snapshot", "non_finite": "null"}),
    silver=Silver(mode="upsert"),
)
Made = Callable[..., EmulatedSource]


@pytest.fixture
def sqlserver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    def make(**answers: Any) -> EmulatedSource:
        found: dict[str, Any] = {
            "FROM sys.columns": [("dbo", "every", name, *kind[1:], True) for name, kind in SQLSERVER_TYPES.items()],
            "FROM sys.indexes": [],
            "snapshot_isolation_state": [(1, False)],
            "fn_helpcollations": [(1,)],
            "HAS_PERMS_BY_NAME": [(0,)],
            "SYSUTCDATETIME(), 121": [("2100-01-01 00:00:00.000000", 0)],
        }
        source = filled(EmulatedSource("mssql", "tsql", "dbo", found | answers, tmp_path), SQLSERVER_TYPES)
        monkeypatch.setattr("headwater.adapters.sources.sqlserver.database.connect", lambda _: source.session)
        return source

    return make


@pytest.fixture
def oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    def make(**answers: Any) -> EmulatedSource:
        found: Answers = {
            "FROM all_tab_cols": [("SHOP", "EVERY", name, *kind[1:], "Y") for name, kind in ORACLE_TYPES.items()],
            "FROM all_constraints": [],
            "NLS_CHARACTERSET": [("AL32UTF8",)],
        }
        source = filled(EmulatedSource("oracle", "oracle", "SHOP", {**found, **answers}, tmp_path), ORACLE_TYPES)
        monkeypatch.setattr("headwater.adapters.sources.oracle.database.connect", lambda _: source.session)
        return source

    return make


def filled(source: EmulatedSource, types: dict[str, Any]) -> EmulatedSource:
    source.sql(f"CREATE TABLE every ({', '.join(f'{name} {kind[0]}' for name, kind in types.items())})")
    for place in range(4):
        source.sql(f"INSERT INTO every VALUES ({', '.join(VALUES[name][place] for name in types)})")
    return source


@pytest.fixture(params=["sqlserver", "oracle"])
def made(request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(request.param)
    return found


def lake_with(source: EmulatedSource, folder: Path) -> Lake:
    lake = Lake(source, EVERY, folder / "lake")
    lake.run()
    return lake


def test_every_type_has_one_text_on_both_sides(made: Made, tmp_path: Path) -> None:
    lake = lake_with(made(), tmp_path)
    found = lake.reconcile()
    assert found.left_out == {}
    assert (found.source_rows, found.lake_rows, found.buckets_differing, found.rows_read) == (4, 4, 0, 0)


def test_a_change_of_any_type_is_seen_and_its_row_found_by_key(made: Made, tmp_path: Path) -> None:
    source = made()
    lake = lake_with(source, tmp_path)
    for column in ("flag", "exact", "day", "local", "raw"):
        source.sql(f"UPDATE every SET {column} = NULL WHERE id = -2")
        [item] = lake.reconcile().differences
        source.sql(f"UPDATE every SET {column} = {VALUES[column][1]} WHERE id = -2")
        assert item.key == {"id": "-2", "region": "Ä|ö😀", "seen": "1969-12-31 23:59:59.999999+00"}
        # and not "deleted", as if no row had the key
        assert (item.kind.value, item.why) == ("lag", "changed since the last full extract")


@pytest.mark.parametrize("answer", [{"fn_helpcollations": [(0,)]}])
def test_a_server_without_utf8_hashes_nothing_and_is_read(sqlserver: Made, tmp_path: Path, answer: Any) -> None:
    source = sqlserver(**answer)
    lake = lake_with(source, tmp_path)
    assert lake.reconcile().is_equal
    source.sql("UPDATE every SET exact = 2 WHERE id = 1")
    assert [item.key["id"] for item in lake.reconcile().differences] == ["1"]
    assert not any("HASHBYTES" in query for query in source.session.asked)


def test_a_relation_with_large_values_is_read(oracle: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ORACLE_TYPES, "raw", ("blob", "BLOB", 4000, None, None))
    source = oracle()
    lake = lake_with(source, tmp_path)
    assert lake.reconcile().is_equal
    assert not any("STANDARD_HASH" in query for query in source.session.asked)


def test_rows_too_long_for_a_text_of_oracle_are_read(
    oracle: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are hashed where they are."""
    source = oracle()
    lake = lake_with(source, tmp_path)
    monkeypatch.setattr(oracle_canonical, "LONGEST_BYTES", 470)
    assert lake.reconcile().is_equal
    source.sql("UPDATE every SET region = repeat('x', 100) WHERE id = 3")
    lake.run()
    found = lake.reconcile()
    assert (found.source_rows, found.buckets_differing) == (4, 0)
    source.sql("UPDATE every SET exact = 7 WHERE id IN (1, 3)")
    assert sorted(item.key["id"] for item in lake.reconcile().differences) == ["1", "3"]


def test_a_server_that_hashes_otherwise_is_refused_and_no_row_is_told(
    sqlserver: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server could be had: should one write a value as nobody expected, nobody is told that the lake is wrong."""
    lake = lake_with(sqlserver(), tmp_path)
    as_it_is = SqlServerHashing.text
    monkeypatch.setattr(
        SqlServerHashing,
        "text",
        lambda self, column, value: "'?'" if column.name == "real8" else as_it_is(self, column, value),
    )
    with pytest.raises(RequestError, match="the server's hash of a row is not that of its values"):
        lake.reconcile()


def test_what_an_extract_sets_aside_is_no_difference(sqlserver: Made, tmp_path: Path) -> None:
    """The extract does not take it, so the lake cannot have it."""
    source = sqlserver()
    lake = lake_with(source, tmp_path)
    source.sql("INSERT INTO every (id, region, seen, real8) VALUES (9, 'new', '2025-01-01 00:00:00+00', 'NaN')")
    assert lake.reconcile().differences == ()


def test_a_row_version_is_a_cursor(sqlserver: Made, tmp_path: Path) -> None:
    """Rows above the watermark are read by the next run; one below it that no run has read is told with its number."""
    columns = [("dbo", "every", "id", "bigint", 8, 19, 0, False), ("dbo", "every", "rv", "timestamp", 8, 0, 0, False)]
    source = sqlserver(**{"FROM sys.columns": columns, "MIN_ACTIVE_ROWVERSION": [(bytes.fromhex("00000000000007d1"),)]})
    source.sql("DROP TABLE every", "CREATE TABLE every (id bigint, rv blob)", version(1, "07d0"), version(2, "07d1"))
    extract = SqlExtract(mode="incremental", cursor="rv")
    lake = Lake(source, EVERY.model_copy(update={"key": ("id",), "extract": extract}), tmp_path / "lake")
    lake.run()
    assert lake.reconcile().is_equal
    source.sql(version(3, "07d2"), version(4, "0010"))
    found = lake.reconcile()
    assert (found.unread_rows, found.source_rows) == (1, 3)
    assert [(item.key["id"], item.kind.value, item.cursor) for item in found.differences] == [("4", "loss", "16")]


def version(number: int, digits: str) -> str:
    return f"INSERT INTO every VALUES ({number}, unhex('{digits.rjust(16, '0')}'))"


def test_a_database_whose_writers_would_wait_is_refused(sqlserver: Made, tmp_path: Path) -> None:
    source = sqlserver()
    lake = lake_with(source, tmp_path)
    source.session.answers = {**source.session.answers, "snapshot_isolation_state": [(0, False)]}
    with pytest.raises(RequestError, match="writers would have to wait"):
        lake.reconcile()


def test_nothing_is_offloaded_by_what_no_server_has_confirmed(made: Made) -> None:
    source = made()
    connections: Any = type("Fixed", (), {"resolve": lambda self, _: source.info})()
    with pytest.raises(RequestError, match="cannot be offloaded"):
        OffloadedSides(connections).source(EVERY, "shop_db")
