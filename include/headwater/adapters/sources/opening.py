"""Which extractor serves a table: decided by the kind of extract and the kind of connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.adapters.sources.files.locations import FILE_KINDS
from headwater.domain.errors import SpecError
from headwater.domain.spec import ExternalExtract, SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import Extractor

if TYPE_CHECKING:
    from headwater.adapters.sources.queried.database import Database

POSTGRES_KINDS = ("postgres", "postgresql")
MYSQL_KINDS = ("mysql", "mariadb")
SQLITE_KIND = "sqlite"
SQLSERVER_KINDS = ("mssql", "sqlserver")
ORACLE_KINDS = ("oracle",)


def open_extractor(table: TableSpec, connection: ConnectionInfo) -> Extractor:
    """The extractor for this table. Opens nothing before its first use; close it afterwards.

    :raises SpecError: when no extractor reads this kind of extract over this kind of connection.
    """
    _check_readers(table, connection)
    if connection.kind in POSTGRES_KINDS and table.extract.kind == "sql":
        from headwater.adapters.sources.postgres.extractor import PostgresExtractor

        return PostgresExtractor(connection)
    if connection.kind in MYSQL_KINDS and table.extract.kind == "sql":
        from headwater.adapters.sources.mysql.extractor import MySqlExtractor

        return MySqlExtractor(connection)
    if connection.kind == SQLITE_KIND and table.extract.kind == "sql":
        from headwater.adapters.sources.sqlite.extractor import SqliteExtractor

        return SqliteExtractor(connection)
    if connection.kind in FILE_KINDS and isinstance(table.extract, ExternalExtract):
        from headwater.adapters.sources.files.external import ExternalExtractor

        return ExternalExtractor(connection)
    if connection.kind in (*SQLSERVER_KINDS, *ORACLE_KINDS) and table.extract.kind == "sql":
        from headwater.adapters.sources.queried.extractor import QueriedExtractor

        return QueriedExtractor(queried_database(connection))
    if connection.kind in FILE_KINDS and table.extract.kind == "files":
        from headwater.adapters.sources.files.extractor import FilesExtractor

        return FilesExtractor(connection)
    raise SpecError(
        f"table {table.name!r}: extract kind {table.extract.kind!r} cannot read a connection of type "
        f"{connection.kind!r}",
        got=f"connection {connection.id!r} of type {connection.kind!r}",
        allowed="kind sql with a connection of type postgres, mysql, mariadb, mssql, oracle or sqlite, "
        f"kinds files and external with one of type {', '.join(FILE_KINDS)}",
        remedy="Change `extract: {kind: …}` in the source's YAML, or the type of the connection.",
        facts={"table": table.name, "connection": connection.id},
    )


def _check_readers(table: TableSpec, connection: ConnectionInfo) -> None:
    if (
        isinstance(table.extract, SqlExtract)
        and table.extract.readers is not None
        and connection.kind not in POSTGRES_KINDS
    ):
        raise SpecError(
            f"table {table.name!r}: this kind of source is read by one session",
            got=f"readers: {table.extract.readers}, connection {connection.id!r} of type {connection.kind!r}",
            allowed="a connection of type postgres, or no readers",
            facts={"table": table.name, "connection": connection.id},
        )


def queried_database(connection: ConnectionInfo) -> Database:
    """A make of database whose own driver gives the rows."""
    if connection.kind in SQLSERVER_KINDS:
        from headwater.adapters.sources.sqlserver.database import SqlServer

        return SqlServer(connection)
    from headwater.adapters.sources.oracle.database import Oracle

    return Oracle(connection)
