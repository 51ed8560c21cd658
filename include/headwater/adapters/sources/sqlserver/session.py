"""A session of SQL Server that only reads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from headwater.adapters.sources.queried.extras import no_driver
from headwater.adapters.sources.refusing import Codes, check_time, explaining, redact, refusal
from headwater.adapters.sources.sqlserver.options import Options
from headwater.ports.connections import ConnectionInfo

LOCK_WAIT_SECONDS = 30
BATCH_ROWS = 5_000
CODES = Codes(
    login=frozenset({18456, 18452, 18470, 18486, 18487, 18488}),
    database=frozenset({4060, 911, 916}),
    not_permitted=frozenset({229, 230, 297, 300, 916}),
    missing=frozenset({208, 4060, 911, 4701}),
    column_gone=frozenset({207}),
    data=frozenset({220, 232, 241, 242, 245, 517, 535, 6522, 8114, 8115, 8134, 8152, 9402, 9420}),
    too_slow=frozenset({20003}),
    locked=frozenset({1205, 1222}),
    too_old=frozenset({3958, 3960, 3961, 3966}),
)
SNAPSHOT, READ_COMMITTED, SERIALIZABLE = "SNAPSHOT", "READ COMMITTED", "SERIALIZABLE"
_MOMENTS = {
    SNAPSHOT: "rows are those of one moment by snapshot isolation",
    READ_COMMITTED: "rows of one statement are those of one moment by READ_COMMITTED_SNAPSHOT",
    SERIALIZABLE: "the database keeps no row versions, so a read is SERIALIZABLE: writers wait while it lasts, and it "
    "for them; ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON ends that",
}
_ABOUT = """
SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), snapshot_isolation_state, is_read_committed_snapshot_on
FROM sys.databases WHERE database_id = DB_ID()
"""


@dataclass(slots=True)
class SqlServerSession:
    """An open session. :param isolation: by which a read sees one moment."""

    raw: Any
    statement_timeout_seconds: int
    version: str = ""
    isolation: str = SERIALIZABLE

    @property
    def told(self) -> str:
        return f"SQL Server {self.version}; {_MOMENTS[self.isolation]}"

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with self.raw.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall()) if cursor.description else []

    def batches(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        started = time.monotonic()
        with self.raw.cursor() as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield rows
                check_time(started, self.statement_timeout_seconds)

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        self.all(f"SET TRANSACTION ISOLATION LEVEL {self.isolation}; BEGIN TRANSACTION")
        # a read that fails closes its session, which ends the transaction too
        yield
        self.all("IF @@TRANCOUNT > 0 ROLLBACK; SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def close(self) -> None:
        self.raw.close()


def isolation_of(snapshot_isolation_state: int, reads_committed_snapshots: bool) -> str:
    """The mildest isolation by which one statement sees one moment. State 1 is on; 2 and 3 are on the way."""
    if snapshot_isolation_state == 1:
        return SNAPSHOT
    return READ_COMMITTED if reads_committed_snapshots else SERIALIZABLE


def connect(connection: ConnectionInfo) -> SqlServerSession:
    """A session of its own.

    :raises CredentialsError: when the server refuses the login.
    :raises SourceUnreachableError: when it cannot be reached.
    :raises ConnectionMalformedError: when the driver is not installed.
    """
    driver = driver_of(connection)
    try:
        return opened(connection)
    except driver.Error as error:
        code, reason = told(error, connection)
    # outside the except block: what the driver says may quote more than an alert should show
    raise refusal(CODES, code, reason, connection)


def driver_of(connection: ConnectionInfo) -> Any:
    """:raises ConnectionMalformedError: when it is not installed."""
    try:
        import pymssql
    except ModuleNotFoundError as error:
        raise no_driver(connection, "pymssql", "sqlserver") from error
    return pymssql


def opened(connection: ConnectionInfo) -> SqlServerSession:
    """A session, or the driver's own error."""
    options = Options.of(connection)
    raw = driver_of(connection).connect(
        server=options.host,
        port=str(options.port),
        user=connection.login,
        password=connection.password.get_secret_value(),
        database=connection.schema_,
        charset="UTF-8",
        autocommit=True,
        read_only=True,
        tds_version="7.4",
        appname="headwater",
        encryption=options.encryption,
        login_timeout=options.connect_timeout_seconds,
        timeout=options.statement_timeout_seconds,
    )
    session = SqlServerSession(raw, options.statement_timeout_seconds)
    session.all(f"SET TEXTSIZE 2147483647; SET LOCK_TIMEOUT {LOCK_WAIT_SECONDS * 1000}; SET DATEFORMAT ymd")
    [(version, state, versioned)] = session.all(_ABOUT)
    session.version, session.isolation = str(version), isolation_of(int(state), bool(versioned))
    return session


def explained(connection: ConnectionInfo, facts: Mapping[str, str]) -> AbstractContextManager[None]:
    """Turn the driver's errors about one relation into explained ones."""
    return explaining(CODES, driver_of(connection).Error, told, connection, facts)


def told(error: Exception, connection: ConnectionInfo) -> tuple[int, str]:
    """The number and the first line of what the driver or the server said.

    The driver gives ``(number, message)`` or ``((number, message),)``.
    """
    args = error.args[0] if error.args and isinstance(error.args[0], tuple) else error.args
    code = args[0] if args and isinstance(args[0], int) else 0
    said = args[1] if len(args) > 1 else str(error)
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    # the library's own lines say less than the server's before them
    lines = [line for line in redact(text, connection).splitlines() if line.strip()]
    plain = [line for line in lines if not line.startswith(("DB-Lib error", "Net-Lib error"))]
    return code, f"{(plain or lines or ['no answer'])[0]} ({code})"
