"""Oracle, as the reading of relations asks of a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.adapters.sources.oracle import canonical, catalogue, sql
from headwater.adapters.sources.oracle.session import OracleSession, connect, driver_of, explained, told
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Clock, Offered, Relation, Session
from headwater.ports.connections import ConnectionInfo

CLOCK = """
SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6'),
  EXTRACT(TIMEZONE_HOUR FROM SYSTIMESTAMP) * 60 + EXTRACT(TIMEZONE_MINUTE FROM SYSTIMESTAMP) FROM dual
"""
# of all instances; a transaction is there from its first change on
OLDEST_SECONDS = "SELECT CEIL((SYSDATE - MIN(start_date)) * 86400) FROM gv$transaction"
_MISSING = ("ORA-00942", "ORA-01031", "ORA-41900")


@dataclass(frozen=True, slots=True)
class Oracle:
    """One service of one server."""

    connection: ConnectionInfo

    @property
    def default_schema(self) -> str:
        return self.connection.schema_ or self.connection.login

    def connect(self) -> OracleSession:
        return connect(self.connection)

    def explained(self, facts: Mapping[str, str]) -> AbstractContextManager[None]:
        return explained(self.connection, facts)

    def folded(self, name: str) -> str:
        """In capitals, as in SQL; a name with a capital in it is meant as it is."""
        return name.upper() if name == name.lower() else name

    def quoted(self, name: str) -> str:
        return sql.quoted(name)

    def value(self, column: QueriedColumn, text: str) -> str:
        """Of a date without a fraction, of a time stamp with as many digits as the text has."""
        shape = "YYYY-MM-DD HH24:MI:SS" + (".FF9" if "." in text else "")
        if column.source_type == "DATE":
            return f"TO_DATE({sql.literal(text)}, '{shape}')"
        if column.type == "timestamptz":
            return f"TO_TIMESTAMP_TZ({sql.literal(text + ' +00:00')}, '{shape} TZH:TZM')"
        return f"TO_TIMESTAMP({sql.literal(text)}, '{shape}')"

    def equal(self, column: QueriedColumn, text: str) -> str:
        return canonical.equal(column, f"t.{self.quoted(column.name)}", text, self.value)

    def hashing(self, session: Session) -> canonical.OracleHashing | None:
        return canonical.OracleHashing() if canonical.can_hash(session) else None

    def tomorrow(self, column: QueriedColumn) -> str:
        now = "SYSTIMESTAMP" if column.type == "timestamptz" else "SYS_EXTRACT_UTC(SYSTIMESTAMP)"
        later = f"{now} + INTERVAL '1' DAY"
        # as a date, so that an index on one can answer
        return f"CAST({later} AS DATE)" if column.source_type == "DATE" else later

    def settled(self, column: QueriedColumn) -> str | None:  # noqa: ARG002 - Oracle has no column of versions
        return None

    def first_day(self, column: QueriedColumn) -> str:  # noqa: ARG002 - one form for all types
        return "DATE '0001-01-01'"

    def probe(self, relation: Relation) -> str:
        return f"SELECT 1 FROM {'.'.join(map(sql.quoted, relation))} WHERE 1 = 0"  # noqa: S608 - quoted names

    def clock(self, session: Session) -> Clock:
        [(utc, offset_minutes)] = session.all(CLOCK)
        _, oldest = self.oldest_seconds(session)
        return Clock(datetime.fromisoformat(utc), timedelta(minutes=int(offset_minutes)), oldest)

    def oldest_seconds(self, session: Session) -> tuple[bool, int | None]:
        """Whether the login may know of open transactions, and the age of the oldest."""
        driver = driver_of(self.connection)
        try:
            [(oldest,)] = session.all(OLDEST_SECONDS)
        except driver.Error as error:
            code, _ = told(error, self.connection)
            if code not in _MISSING:
                raise
            return False, None
        return True, None if oldest is None else int(oldest)

    def may_see_transactions(self, session: Session) -> bool:
        return self.oldest_seconds(session)[0]

    def names(self, session: Session) -> list[Relation]:
        return catalogue.names(session)

    def columns(self, session: Session, relation: Relation) -> tuple[QueriedColumn, ...]:
        return catalogue.columns(session, relation)

    def primary_key(self, session: Session, relation: Relation) -> tuple[str, ...]:
        return catalogue.primary_key(session, relation)

    def offers(self, session: Session) -> Iterator[Offered]:
        return catalogue.offers(session)
