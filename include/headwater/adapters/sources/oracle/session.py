"""A session of Oracle Database that only reads, by the thin driver: no client library of Oracle's is needed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from headwater.adapters.sources.oracle.options import Options
from headwater.adapters.sources.queried.extras import no_driver
from headwater.adapters.sources.refusing import Codes, check_time, explaining, redact, refusal
from headwater.ports.connections import ConnectionInfo

BATCH_ROWS = 5_000
CODES = Codes(
    login=frozenset({"ORA-01017", "ORA-28000", "ORA-28001", "ORA-28009", "ORA-01005", "DPY-4001"}),
    database=frozenset({"ORA-12514", "ORA-12505", "ORA-12516", "ORA-12520", "DPY-6001", "DPY-6003"}),
    not_permitted=frozenset({"ORA-01031", "ORA-01045", "ORA-41900"}),
    missing=frozenset({"ORA-00942", "ORA-04043", "ORA-00980"}),
    column_gone=frozenset({"ORA-00904"}),
    data=frozenset(
        {"ORA-01426", "ORA-01476", "ORA-01722", "ORA-01841", "ORA-01858", "ORA-01878", "ORA-04063", "ORA-22835"}
    ),
    too_slow=frozenset({"DPY-4024", "ORA-01013", "ORA-02396", "ORA-03156"}),
    locked=frozenset({"ORA-00054", "ORA-00060", "ORA-04021"}),
    too_old=frozenset({"ORA-01555", "ORA-22924", "ORA-01466", "ORA-08181"}),
)
SETTINGS = (
    "ALTER SESSION SET TIME_ZONE = '+00:00' NLS_NUMERIC_CHARACTERS = '.,' NLS_CALENDAR = 'GREGORIAN' "
    "NLS_COMP = 'BINARY' NLS_SORT = 'BINARY'"
)


@dataclass(slots=True)
class OracleSession:
    """An open session: UTC, Gregorian, a point before fractions, texts compared by their bytes."""

    raw: Any
    statement_timeout_seconds: int

    @property
    def told(self) -> str:
        return f"Oracle {self.raw.version}; rows of one read are those of one moment (a read-only transaction)"

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with self.raw.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall()) if cursor.description else []

    def batches(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        started = time.monotonic()
        with self.raw.cursor() as cursor:
            cursor.arraysize = cursor.prefetchrows = BATCH_ROWS
            cursor.execute(query)
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield rows
                check_time(started, self.statement_timeout_seconds)

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        # it has to be the first statement of its transaction
        self.raw.rollback()
        self.all("SET TRANSACTION READ ONLY")
        # a read that fails closes its session, which ends the transaction too
        yield
        self.raw.rollback()

    def close(self) -> None:
        # closing one that broke off would be an error of its own
        if self.raw.is_healthy():
            self.raw.close()


def connect(connection: ConnectionInfo) -> OracleSession:
    """A session of its own.

    :raises CredentialsError: when the server refuses the login.
    :raises SourceUnreachableError: when it cannot be reached.
    :raises ConnectionMalformedError: when the driver is not installed.
    """
    driver = driver_of(connection)
    try:
        return opened(connection)
    # a host without an address is an OSError to the driver
    except (driver.Error, OSError) as error:
        code, reason = told(error, connection)
    # outside the except block: what the driver says may quote more than an alert should show
    raise refusal(CODES, code, reason, connection)


def driver_of(connection: ConnectionInfo) -> Any:
    """:raises ConnectionMalformedError: when it is not installed."""
    try:
        import oracledb
    except ModuleNotFoundError as error:
        raise no_driver(connection, "oracledb", "oracle") from error
    return oracledb


def opened(connection: ConnectionInfo) -> OracleSession:
    """A session, or the driver's own error."""
    options, driver = Options.of(connection), driver_of(connection)
    raw = driver.connect(user=connection.login, password=connection.password.get_secret_value(), **options.of_driver())
    # per answer of the server; the time of all of a statement's rows is watched beside it
    raw.call_timeout = options.statement_timeout_seconds * 1000
    raw.outputtypehandler = whole_values
    session = OracleSession(raw, options.statement_timeout_seconds)
    session.all(SETTINGS)
    return session


def whole_values(cursor: Any, metadata: Any) -> Any:
    """Large values come with their rows, instead of being asked for one by one."""
    import oracledb

    whole = {
        oracledb.DB_TYPE_CLOB: oracledb.DB_TYPE_LONG,
        oracledb.DB_TYPE_NCLOB: oracledb.DB_TYPE_LONG_NVARCHAR,
        oracledb.DB_TYPE_BLOB: oracledb.DB_TYPE_LONG_RAW,
    }.get(metadata.type_code)
    return None if whole is None else cursor.var(whole, arraysize=cursor.arraysize)


def explained(connection: ConnectionInfo, facts: Mapping[str, str]) -> AbstractContextManager[None]:
    """Turn the driver's errors about one relation into explained ones."""
    return explaining(CODES, driver_of(connection).Error, told, connection, facts)


def told(error: Exception, connection: ConnectionInfo) -> tuple[str, str]:
    """The code (``ORA-…`` of the server, ``DPY-…`` of the driver) and the first line of what was said."""
    detail = error.args[0] if error.args else None
    code = str(getattr(detail, "full_code", "") or "")
    said = str(getattr(detail, "message", None) or error)
    text = redact(said, connection)
    return code, text.splitlines()[0] if text else "no answer"
