"""One shop in every kind of database whose rows are compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from tests.integration.reconciling.emulated_servers import Answers, EmulatedSession
from tests.integration.sources.mariadb_under_test import MariaSource
from tests.integration.sources.sources_under_test import Source, connection_of

from headwater.ports.connections import ConnectionInfo

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
ROWS = 5_000


class SqliteSource(Source):
    """A database file, driven as the servers are."""

    def __init__(self, folder: Path) -> None:
        path = folder / "shop.db"
        super().__init__(ConnectionInfo(id="shop_db", kind="sqlite", host=str(path)), str(path), folder / "extracts")

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.url)) as session, session:
            for statement in statements:
                session.execute(statement)


class EmulatedSource(Source):
    """A database whose SQL is understood, and answered by another."""

    def __init__(self, kind: str, dialect: str, schema: str, answers: Answers, folder: Path) -> None:
        info = ConnectionInfo(id="shop_db", kind=kind, login=schema, extra=EXTRAS[kind])
        super().__init__(info, "", folder / "extracts")
        self.engine = duckdb.connect()
        self.engine.execute(f"CREATE SCHEMA {schema}; USE {schema}; SET TimeZone = 'UTC'")
        self.session = EmulatedSession(self.engine, dialect, answers)

    def sql(self, *statements: str) -> None:
        for statement in statements:
            self.engine.execute(statement)


EXTRAS: dict[str, dict[str, str]] = {"mssql": {}, "oracle": {"service_name": "shop"}}


@dataclass(frozen=True)
class Shop:
    """Orders, one a minute, the number their key.

    :param moment: the type of a time of last change. :param zone: how UTC is written behind one.
    """

    source: Source
    moment: str = "timestamptz"
    zone: str = "+00:00"

    def make(self) -> None:
        self.source.sql(
            "CREATE TABLE orders (id int PRIMARY KEY, customer varchar(40), total decimal(12,2), paid boolean, "
            f"updated_at {self.moment})",
            "CREATE INDEX moved ON orders (updated_at)",
            self.adding({number: number for number in range(1, ROWS + 1)}),
        )

    def adding(self, minutes: Mapping[int, float]) -> str:
        """The statement that adds these orders. :param minutes: number -> when it was changed last."""
        rows = (f"({n}, 'customer {n % 97}', {n * 37 / 100}, {n % 3 == 0}, {self.at(at)})" for n, at in minutes.items())
        return f"INSERT INTO orders VALUES {', '.join(rows)}"

    def at(self, minutes: float) -> str:
        return f"'{BEGAN + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}{self.zone}'"

    @property
    def now(self) -> float:
        """In minutes."""
        return (datetime.now(UTC) - BEGAN) / timedelta(minutes=1)


def _postgres(request: pytest.FixtureRequest, folder: Path) -> Shop:
    url = request.getfixturevalue("postgres_database")(None)
    return Shop(Source(connection_of(url), url, folder / "extracts"))


def _mariadb(request: pytest.FixtureRequest, folder: Path) -> Shop:
    source = MariaSource(request.getfixturevalue("mariadb"), folder / "extracts")
    return Shop(source, moment="timestamp(3) NOT NULL DEFAULT '2000-01-01'", zone="")


def _sqlserver(request: pytest.FixtureRequest, folder: Path) -> Shop:
    kinds = {"id": ("int", 4, 10, 0), "customer": ("varchar", 40, 0, 0), "total": ("decimal", 9, 12, 2),
             "paid": ("bit", 1, 1, 0), "updated_at": ("datetimeoffset", 10, 34, 7)}  # fmt: skip
    answers: Answers = {
        "FROM sys.columns": [("dbo", "orders", name, *kind, name != "id") for name, kind in kinds.items()],
        "FROM sys.indexes": [("dbo", "orders", 1, True, "id")],
        "snapshot_isolation_state": [(1, False)],
        "fn_helpcollations": [(1,)],
        "HAS_PERMS_BY_NAME": [(0,)],
        "SYSUTCDATETIME(), 121": [("2100-01-01 00:00:00.000000", 0)],
    }
    source = EmulatedSource("mssql", "tsql", "dbo", answers, folder)
    patched: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patched.setattr("headwater.adapters.sources.sqlserver.database.connect", lambda _: source.session)
    return Shop(source)


def _oracle(request: pytest.FixtureRequest, folder: Path) -> Shop:
    kinds = {"id": ("NUMBER", 22, 10, 0), "customer": ("VARCHAR2", 4000, None, None), "total": ("NUMBER", 22, 12, 2),
             "paid": ("BOOLEAN", 1, None, None),
             "updated_at": ("TIMESTAMP(6) WITH TIME ZONE", 13, None, 6)}  # fmt: skip
    answers: Answers = {
        "FROM all_tab_cols": [("SHOP", "ORDERS", name, *kind, "Y") for name, kind in kinds.items()],
        "FROM all_constraints": [("SHOP", "ORDERS", "PK", "P", "id")],
        "NLS_CHARACTERSET": [("AL32UTF8",)],
        "gv$transaction": [(None,)],
        "SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY": [("2100-01-01 00:00:00.000000", 0)],
    }
    source = EmulatedSource("oracle", "oracle", "SHOP", answers, folder)
    patched: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patched.setattr("headwater.adapters.sources.oracle.database.connect", lambda _: source.session)
    return Shop(source)


SHOPS: dict[str, Callable[[pytest.FixtureRequest, Path], Shop]] = {
    "postgres": _postgres,
    "mariadb": _mariadb,
    "sqlite": lambda _, folder: Shop(SqliteSource(folder)),
}
EMULATED = {"sqlserver": _sqlserver, "oracle": _oracle}
