"""A connection looked at part by part, from the wire to the right to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headwater.adapters.jobs.opening import SERVICE_KINDS
from headwater.adapters.sources.checking.probe import Probe, bad
from headwater.adapters.sources.files.locations import FILE_KINDS
from headwater.adapters.sources.opening import MYSQL_KINDS, ORACLE_KINDS, POSTGRES_KINDS, SQLITE_KIND, SQLSERVER_KINDS
from headwater.domain.errors import HeadwaterError
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo


def check_connection(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> tuple[Probe, ...]:
    """What was found, in order; the parts behind the first one that fails are not looked at, rights excepted.

    :param tables: those that are read over it.
    """
    found: list[Probe] = []
    try:
        for probe in _probes(connection, tables):
            found.append(probe)
            if not probe.fine and " " not in probe.part:
                break
    except HeadwaterError as error:
        found.append(bad("connection", f"{error.message}: {error.got}", error.remedy or error.allowed or ""))
    return tuple(found)


def _probes(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    if connection.kind in POSTGRES_KINDS:
        from headwater.adapters.sources.checking.postgres import check_postgres

        return check_postgres(connection, tables)
    if connection.kind in MYSQL_KINDS:
        from headwater.adapters.sources.checking.mysql import check_mysql

        return check_mysql(connection, tables)
    if connection.kind in SQLSERVER_KINDS:
        from headwater.adapters.sources.checking.sqlserver import check_sqlserver

        return check_sqlserver(connection, tables)
    if connection.kind in ORACLE_KINDS:
        from headwater.adapters.sources.checking.oracle import check_oracle

        return check_oracle(connection, tables)
    return _of_files_or_services(connection, tables)


def _of_files_or_services(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    from headwater.adapters.sources.checking.files import check_files, check_sqlite

    if connection.kind == SQLITE_KIND:
        return check_sqlite(connection, tables)
    if connection.kind in FILE_KINDS:
        return check_files(connection, tables)
    if connection.kind in SERVICE_KINDS:
        from headwater.adapters.sources.checking.services import check_service

        return check_service(connection, tables)
    databases = (*POSTGRES_KINDS, *MYSQL_KINDS, *SQLSERVER_KINDS, *ORACLE_KINDS, SQLITE_KIND)
    allowed = ", ".join((*databases, *FILE_KINDS, *SERVICE_KINDS))
    return iter([bad("type", f"nothing reads connections of type {connection.kind!r}", f"Use one of {allowed}.")])
