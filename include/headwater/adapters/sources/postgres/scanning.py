"""The source seen from DuckDB: transactions of one snapshot, and queries in the source's own SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any

from psycopg import sql

from headwater.adapters.duckdb.sql import literal
from headwater.adapters.sources.postgres.session import conninfo
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    import duckdb


LEFT_OUT = "left_out"
SUSPECT = "suspect"
"""Sequences that step once per row left out or suspect: a COPY tells only how many rows it wrote."""


@contextmanager
def one_snapshot(engine: duckdb.DuckDBPyConnection, connection: ConnectionInfo) -> Iterator[None]:
    """A repeatable-read transaction at the source, under the name ``source``."""
    extension = package_files("duckdb_extension_postgres_scanner") / "extensions" / f"v{_version(engine)}"
    engine.execute(f"LOAD {literal(str(extension / 'postgres_scanner.duckdb_extension'))}")
    engine.execute("SET pg_pool_enable_reaper_thread = false")
    where = literal(conninfo(connection, time_zone="UTC"))
    engine.execute(f"ATTACH {where} AS source (TYPE postgres, READ_ONLY)")
    with _transaction(engine):
        yield


@contextmanager
def same_snapshot(engine: duckdb.DuckDBPyConnection, exported: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """One more session at the source that sees what the one that exported the snapshot sees, while that lasts."""
    reader = engine.cursor()
    try:
        with _transaction(reader):
            taken = sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(exported)).as_string()
            reader.execute(f"CALL postgres_execute('source', {literal(taken)})")
            yield reader
    finally:
        reader.close()


@contextmanager
def _transaction(engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
    import duckdb

    engine.execute("SET TimeZone = 'UTC'")
    engine.execute(f"CREATE TEMP SEQUENCE {LEFT_OUT}; CREATE TEMP SEQUENCE {SUSPECT}")
    engine.begin()
    try:
        yield
        engine.commit()
    except BaseException:
        # left to DuckDB's destructor, a rollback over a lost connection would abort the whole process
        with suppress(duckdb.Error):
            engine.rollback()
        raise


def exported_snapshot(engine: duckdb.DuckDBPyConnection) -> str:
    """The name under which other transactions can see what this one sees, while it lasts."""
    return str(first(engine, sql.SQL("SELECT pg_export_snapshot() AS snapshot"))[0])


def query(statement: sql.Composable) -> str:
    """A query in the source's SQL as a relation of DuckDB's."""
    return f"postgres_query('source', {literal(statement.as_string())})"


def first(engine: duckdb.DuckDBPyConnection, statement: sql.Composable) -> tuple[Any, ...]:
    """The first row of a query in the source's SQL."""
    row = engine.execute(f"SELECT * FROM {query(statement)}").fetchone()  # noqa: S608 - made of quoted names and literals
    return row or ()


def step(engine: duckdb.DuckDBPyConnection, sequence: str) -> int:
    """The next number of a sequence."""
    row = engine.execute(f"SELECT nextval('{sequence}')").fetchone()
    return int(row[0]) if row else 0


def _version(engine: duckdb.DuckDBPyConnection) -> str:
    row = engine.execute("SELECT library_version FROM pragma_version()").fetchone()
    return str(row[0]).removeprefix("v") if row else ""
