"""Opens the two sides of a comparison for an installation's connections."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from headwater.adapters.sources.opening import (
    MYSQL_KINDS,
    ORACLE_KINDS,
    POSTGRES_KINDS,
    SQLITE_KIND,
    SQLSERVER_KINDS,
    queried_database,
)
from headwater.domain.errors import RequestError
from headwater.domain.spec import TableSpec
from headwater.domain.storage import S3Settings
from headwater.ports.connections import ConnectionInfo, Connections
from headwater.ports.offloading import RangedLake, RangedSource
from headwater.ports.reconciling import LakeRows, ReleasedRows, SourceRows

if TYPE_CHECKING:
    from headwater.adapters.sources.mysql.fingerprints import MySqlRows
    from headwater.adapters.sources.postgres.fingerprints import PostgresRows
    from headwater.adapters.sources.sqlite.fingerprints import SqliteRows

PostgresSide = TypeVar("PostgresSide", bound="PostgresRows")
MySqlSide = TypeVar("MySqlSide", bound="MySqlRows")
SqliteSide = TypeVar("SqliteSide", bound="SqliteRows")
_HASHING = (*POSTGRES_KINDS, *MYSQL_KINDS)
"""Kinds of database that hash their rows themselves, seen on real servers."""
_QUERIED = (*SQLSERVER_KINDS, *ORACLE_KINDS)


@dataclass(frozen=True)
class OpenedSides:
    """``ports.reconciling.Sides``."""

    connections: Connections
    s3: S3Settings | None = None
    """How the buckets of a warehouse in S3 are reached."""

    def source(self, table: TableSpec, connection_id: str) -> AbstractContextManager[SourceRows]:
        connection = _resolved(self.connections, table, connection_id, "compared", (*_HASHING, SQLITE_KIND, *_QUERIED))
        if connection.kind in _QUERIED:
            from headwater.adapters.sources.queried.comparing import queried_rows

            return queried_rows(queried_database(connection), table)
        if connection.kind == SQLITE_KIND:
            from headwater.adapters.sources.sqlite.fingerprints import SqliteRows

            return _sqlite_rows(SqliteRows, table, connection)
        if connection.kind in MYSQL_KINDS:
            from headwater.adapters.sources.mysql.fingerprints import MySqlRows

            return _mysql_rows(MySqlRows, table, connection)
        from headwater.adapters.sources.postgres.fingerprints import PostgresRows

        return _postgres_rows(PostgresRows, table, connection)

    def lake(self, released: ReleasedRows, table: TableSpec) -> AbstractContextManager[LakeRows]:
        from headwater.adapters.duckdb.fingerprints import released_rows

        return released_rows(released, table, self.s3)


@dataclass(frozen=True)
class OffloadedSides(OpenedSides):
    """``ports.offloading.OffloadSides``."""

    def source(self, table: TableSpec, connection_id: str) -> AbstractContextManager[RangedSource]:
        connection = _resolved(self.connections, table, connection_id, "offloaded", (*_HASHING, SQLITE_KIND))
        if connection.kind == SQLITE_KIND:
            from headwater.adapters.sources.sqlite.ranges import SqliteRanges

            return _sqlite_rows(SqliteRanges, table, connection)
        if connection.kind in MYSQL_KINDS:
            from headwater.adapters.sources.mysql.ranges import MySqlRanges

            return _mysql_rows(MySqlRanges, table, connection)
        from headwater.adapters.sources.postgres.ranges import PostgresRanges

        return _postgres_rows(PostgresRanges, table, connection)

    def lake(self, released: ReleasedRows, table: TableSpec) -> AbstractContextManager[RangedLake]:
        from headwater.adapters.duckdb.ranges import released_ranges

        return released_ranges(released, table, self.s3)


def _resolved(
    connections: Connections, table: TableSpec, connection_id: str, done: str, kinds: tuple[str, ...]
) -> ConnectionInfo:
    connection = connections.resolve(connection_id)
    if connection.kind not in kinds:
        raise RequestError(
            f"table {table.name!r} cannot be {done}: its kind of source is not one that can",
            got=f"connection {connection_id!r} of type {connection.kind!r}",
            allowed=f"a connection of type {', '.join(kinds)}",
            remedy="Leave the table out, or read it with `mode: snapshot`, which compares itself with each run.",
            facts={"table": table.name, "connection": connection_id},
        )
    return connection


@contextmanager
def _sqlite_rows(kind: type[SqliteSide], table: TableSpec, connection: ConnectionInfo) -> Iterator[SqliteSide]:
    """The rows as they are when they are first asked for, typed and hashed here."""
    from headwater.adapters.duckdb.engine import writer
    from headwater.adapters.sources.sqlite.relations import relation_of
    from headwater.adapters.sources.sqlite.session import connect, explained

    facts = {"table": table.name, "relation": relation_of(table), "connection": connection.id}
    with (
        tempfile.TemporaryDirectory(prefix="headwater-sqlite-") as scratch,
        writer() as engine,
        explained(connection, facts),
        closing(connect(connection)) as session,
    ):
        yield kind(table, engine, Path(scratch), session, connection.id)


@contextmanager
def _mysql_rows(kind: type[MySqlSide], table: TableSpec, connection: ConnectionInfo) -> Iterator[MySqlSide]:
    """One transaction that sees the moment of its start, in UTC as every read of ours is."""
    from headwater.adapters.sources.mysql.relations import facts_of_table
    from headwater.adapters.sources.mysql.session import connect, explained

    with explained(connection, facts_of_table(table, connection)), closing(connect(connection)) as session:
        kind.check(session, table, connection)
        session.all("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.all("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield kind(session, table, connection)


@contextmanager
def _postgres_rows(kind: type[PostgresSide], table: TableSpec, connection: ConnectionInfo) -> Iterator[PostgresSide]:
    """One repeatable-read transaction, in UTC as every read of ours is."""
    import psycopg

    from headwater.adapters.sources.postgres.relations import relation_of
    from headwater.adapters.sources.postgres.session import connect, explained

    with explained(connection, table.name, ".".join(relation_of(table))), connect(connection) as session:
        session.execute("SET TimeZone = 'UTC'")
        # buckets are few and rows wide: sums by hashing spill little, a sort would write the whole relation
        session.execute("SET enable_sort = off; SET work_mem = '64MB'")
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.autocommit = False
        yield kind(session, table, connection.id)
