"""A read-only session of MySQL or MariaDB, and its refusals as failures that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pymysql

from headwater.adapters.sources.mysql.options import Options
from headwater.adapters.sources.refusing import Codes, explaining, facts_of, redact, refusal
from headwater.domain.errors import SourceDataError
from headwater.ports.connections import ConnectionInfo

LOCK_WAIT_SECONDS = 30
"""How long a read waits for somebody who holds the relation locked."""
IDLE_SECONDS = 8 * 60 * 60
"""How long a session may wait for the rows that another one reads: many a server is set to a minute."""
NO_SUCH_DATABASE, NO_RIGHT_TO_DATABASE = 1049, 1044
CODES = Codes(
    login=frozenset({1045, 1130, 1698, 1820, 1862, 3118, 4151}),
    database=frozenset({NO_SUCH_DATABASE}),
    not_permitted=frozenset({1142, 1143, 1227, 1370, NO_RIGHT_TO_DATABASE}),
    missing=frozenset({1146, 1356, NO_SUCH_DATABASE}),
    column_gone=frozenset({1054}),
    data=frozenset({1264, 1292, 1365, 1366, 1367, 1411, 1690, 3140, 3141, 4079}),
    too_slow=frozenset({1969, 3024}),
    locked=frozenset({1205, 1213}),
)


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
    raise refusal(CODES, code, reason, connection)


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
        f"wait_timeout = {max(IDLE_SECONDS, seconds)}, group_concat_max_len = 1048576, {limit}"
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


def explained(connection: ConnectionInfo, facts: Mapping[str, str]) -> AbstractContextManager[None]:
    """Turn the driver's errors about one relation into explained ones."""
    return explaining(CODES, pymysql.MySQLError, told, connection, facts)


def told(error: Exception, connection: ConnectionInfo) -> tuple[int, str]:
    """The number and the first line of what the driver or the server said."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    said = str(error.args[1]) if len(error.args) > 1 else str(error)
    return code, f"{redact(said, connection).splitlines()[0] if said.strip() else 'no answer'} ({code})"
