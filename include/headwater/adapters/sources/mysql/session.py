"""A read-only session of MySQL or MariaDB, and its refusals as failures that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pymysql

from headwater.adapters.sources.mysql.options import Options
from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
)
from headwater.ports.connections import ConnectionInfo

LOCK_WAIT_SECONDS = 30
"""How long a read waits for somebody who holds the relation locked."""
REFUSED_LOGIN = (1045, 1130, 1698, 1820, 1862, 3118, 4151)
NO_SUCH_DATABASE, NO_RIGHT_TO_DATABASE = 1049, 1044
_NOT_PERMITTED = (1142, 1143, 1227, 1370, NO_RIGHT_TO_DATABASE)
_MISSING = (1146, 1356, NO_SUCH_DATABASE)
_DATA = (1264, 1292, 1365, 1366, 1367, 1411, 1690, 3140, 3141, 4079)
_TOO_SLOW = (1969, 3024)
_LOCKED = (1205, 1213)


@dataclass(slots=True)
class Session:
    """An open session: UTC, no ``sql_mode``, transactions read-only.

    :param local_offset: by how much the server's local time is ahead of UTC.
    """

    raw: Any
    version: str
    local_offset: timedelta

    @property
    def is_mariadb(self) -> bool:
        return "mariadb" in self.version.lower()

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with self.raw.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def first(self, query: str) -> tuple[Any, ...]:
        rows = self.all(query)
        return rows[0] if rows else ()

    def one(self, query: str) -> Any:
        row = self.first(query)
        return row[0] if row else None

    def close(self) -> None:
        if self.raw.open:
            self.raw.close()


def connect(connection: ConnectionInfo) -> Session:
    """A session of its own.

    :raises CredentialsError: when the server refuses the login.
    :raises SourceUnreachableError: when it cannot be reached.
    """
    try:
        return opened(connection)
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        code, reason = told(error, connection)
    # outside the except block: what the driver says may quote more than an alert should show
    raise _refusal(connection, code, reason)


def opened(connection: ConnectionInfo) -> Session:
    """A session, or the driver's own error."""
    options = Options.of(connection)
    raw = pymysql.connect(
        host=options.host,
        port=options.port,
        user=connection.login,
        # as bytes: the driver would encode a text as Latin-1
        password=connection.password.get_secret_value().encode(),
        database=connection.schema_ or None,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=options.connect_timeout_seconds,
        program_name="headwater",
        **options.tls_of_pymysql(),
    )
    session = Session(raw, "", timedelta(0))
    session.version, utc, local = session.first("SELECT VERSION(), UTC_TIMESTAMP(6), NOW(6)")
    session.local_offset = timedelta(minutes=round((local - utc).total_seconds() / 60))
    seconds = options.statement_timeout_seconds
    limit = f"max_statement_time = {seconds}" if session.is_mariadb else f"max_execution_time = {seconds * 1000}"
    session.all(
        f"SET SESSION sql_mode = '', time_zone = '+00:00', lock_wait_timeout = {LOCK_WAIT_SECONDS}, "
        f"group_concat_max_len = 1048576, {limit}"
    )
    session.all("SET SESSION TRANSACTION READ ONLY")
    return session


def check_isolation(session: Session, connection: ConnectionInfo, facts: dict[str, str]) -> None:
    """One statement sees one moment, unless the server lets every session see what is not committed.

    :raises SourceDataError: where it does.
    """
    query = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')"
    if any(value == "READ-UNCOMMITTED" for _, value in session.all(query)):
        raise SourceDataError(
            f"the server of connection {connection.id!r} shows rows that are not committed",
            got="transaction isolation READ-UNCOMMITTED, for all sessions",
            allowed="READ-COMMITTED, REPEATABLE-READ or SERIALIZABLE",
            remedy="Set `transaction_isolation` at the server, or read from a replica that has it set.",
            facts={**facts_of(connection), **facts},
        )


@contextmanager
def explained(connection: ConnectionInfo, facts: dict[str, str]) -> Iterator[None]:
    """Turn the driver's errors about one relation into explained ones, without the password and without a chain."""
    try:
        yield
    except pymysql.MySQLError as error:
        failure = explain(*told(error, connection), connection, {**facts_of(connection), **facts})
    else:
        return
    raise failure


def told(error: Exception, connection: ConnectionInfo) -> tuple[int, str]:
    """The number and the first line of what the driver or the server said."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    said = str(error.args[1]) if len(error.args) > 1 else str(error)
    return code, f"{redact(said, connection).splitlines()[0] if said.strip() else 'no answer'} ({code})"


def redact(text: str, connection: ConnectionInfo) -> str:
    """``text`` without the password."""
    password = connection.password.get_secret_value()
    return text.replace(password, "***").strip() if password else text.strip()


def facts_of(connection: ConnectionInfo) -> dict[str, str]:
    """What an alert may say of a connection."""
    place = connection.host if connection.port is None else f"{connection.host}:{connection.port}"
    return {
        "connection": connection.id,
        "login": connection.login,
        "host": place,
        "database": connection.schema_,
    }


def _refusal(connection: ConnectionInfo, code: int, reason: str) -> HeadwaterError:
    facts = facts_of(connection)
    if code in REFUSED_LOGIN or code == NO_RIGHT_TO_DATABASE:
        return CredentialsError(
            f"the database at {facts['host']} refused login {connection.login!r} of connection {connection.id!r}",
            got=reason,
            remedy=f"Set the right login and password on connection {connection.id!r}, then clear the task.",
            facts=facts,
        )
    return SourceUnreachableError(
        f"the database of connection {connection.id!r} at {facts['host']} could not be reached",
        got=reason,
        remedy="Check that the server runs and that host, port and database of the connection are right.",
        facts=facts,
    )


def explain(code: int, got: str, connection: ConnectionInfo, facts: dict[str, str]) -> HeadwaterError:
    """A failure while a relation was asked about or read, by the number of the server's error."""
    relation = facts["relation"]
    if code in _NOT_PERMITTED:
        return NotPermittedError(
            f"login {connection.login!r} may not read {relation}",
            got=got,
            remedy="Let the owner of the source grant the right to read it, then run again.",
            facts={**facts, "schema": relation.partition(".")[0]},
        )
    if code in _MISSING:
        return SourceTableMissingError(f"{relation} does not exist at the source any more", got=got, facts=facts)
    if code == 1054:
        return SchemaDriftError(f"a column of {relation} vanished while it was read", got=got, facts=facts)
    if code in _DATA:
        return SourceDataError(f"a value of {relation} cannot be computed by the database", got=got, facts=facts)
    return SourceUnreachableError(
        f"reading {relation} was interrupted by the database", got=got, remedy=_remedy(code), facts=facts
    )


def _remedy(code: int) -> str:
    if code in _TOO_SLOW:
        return "Raise `statement_timeout` in the extra of the connection, or read less at once."
    if code in _LOCKED:
        return "Try again when whoever holds the relation locked is done."
    return "The run reads the same window again when it is retried."
