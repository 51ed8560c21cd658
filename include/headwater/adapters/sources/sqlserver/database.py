"""SQL Server, as the reading of relations asks of a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Clock, Offered, Relation, Session
from headwater.adapters.sources.sqlserver import canonical, catalogue, sql
from headwater.adapters.sources.sqlserver.session import (
    SERIALIZABLE,
    SqlServerSession,
    connect,
    explained,
    isolation_of,
)
from headwater.domain.errors import RequestError
from headwater.ports.connections import ConnectionInfo

CLOCK = "SELECT CONVERT(varchar(26), SYSUTCDATETIME(), 121), DATEDIFF(MINUTE, GETUTCDATE(), GETDATE())"
KEEPS_VERSIONS = """
SELECT snapshot_isolation_state, is_read_committed_snapshot_on FROM sys.databases WHERE database_id = DB_ID()
"""
MAY_SEE_TRANSACTIONS = """
SELECT COALESCE(HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), 0)
  | COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'VIEW DATABASE STATE') * CASE WHEN
    CONVERT(int, SERVERPROPERTY('EngineEdition')) = 5 THEN 1 ELSE 0 END, 0)
"""
"""In Azure SQL Database (edition 5) the right is one of the database."""
# 1 reads and writes, 4 is distributed; the times are the server's own
OLDEST_SECONDS = """
SELECT DATEDIFF(SECOND, MIN(a.transaction_begin_time), GETDATE())
FROM sys.dm_tran_active_transactions a JOIN sys.dm_tran_session_transactions s ON s.transaction_id = a.transaction_id
WHERE a.transaction_type IN (1, 4) AND s.session_id <> @@SPID
"""


@dataclass(frozen=True, slots=True)
class SqlServer:
    """One database of one server."""

    connection: ConnectionInfo

    @property
    def default_schema(self) -> str:
        return "dbo"

    def connect(self) -> SqlServerSession:
        return connect(self.connection)

    def explained(self, facts: Mapping[str, str]) -> AbstractContextManager[None]:
        return explained(self.connection, facts)

    def folded(self, name: str) -> str:
        return name

    def quoted(self, name: str) -> str:
        return sql.quoted(name)

    def value(self, column: QueriedColumn, text: str) -> str:
        """In the column's own type: nothing is rounded, as the text has the type's own digits."""
        if column.counts:
            return f"CONVERT(binary(8), 0x{bytes.fromhex(text).hex().upper()})"
        zone = " +00:00" if column.type == "timestamptz" else ""
        return f"CONVERT({column.source_type}, {sql.literal(text + zone)}, 121)"

    def equal(self, column: QueriedColumn, text: str) -> str:
        return canonical.equal(column, f"t.{self.quoted(column.name)}", text, self.value)

    def hashing(self, session: Session) -> canonical.SqlServerHashing | None:
        [(state, versioned)] = session.all(KEEPS_VERSIONS)
        if isolation_of(int(state), bool(versioned)) == SERIALIZABLE:
            raise RequestError(
                "tables of this database cannot be compared: it keeps no row versions, so writers would have to wait",
                got="ALLOW_SNAPSHOT_ISOLATION OFF, READ_COMMITTED_SNAPSHOT OFF",
                allowed="a database with one of the two ON",
                remedy="`ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON`, by its owner, or leave its tables out.",
                facts={"connection": self.connection.id},
            )
        return canonical.SqlServerHashing() if canonical.can_hash(session) else None

    def tomorrow(self, column: QueriedColumn) -> str:
        now = "SYSDATETIMEOFFSET()" if column.type == "timestamptz" else "SYSUTCDATETIME()"
        return f"DATEADD(DAY, 1, {now})"

    def settled(self, column: QueriedColumn) -> str | None:
        # every version below it is committed, and none will be given any more
        return f"t.{self.quoted(column.name)} < MIN_ACTIVE_ROWVERSION()" if column.counts else None

    def first_day(self, column: QueriedColumn) -> str:
        # these two begin later
        first = {"datetime": "1753-01-01", "smalldatetime": "1900-01-01"}.get(column.source_type, "0001-01-01")
        return f"CONVERT({column.source_type}, {sql.literal(first)}, 121)"

    def probe(self, relation: Relation) -> str:
        return f"SELECT TOP (0) 1 FROM {'.'.join(map(sql.quoted, relation))}"  # noqa: S608 - quoted names

    def clock(self, session: Session) -> Clock:
        [(utc, offset_minutes)] = session.all(CLOCK)
        oldest = None
        if self.may_see_transactions(session):
            [(oldest,)] = session.all(OLDEST_SECONDS)
        return Clock(datetime.fromisoformat(utc), timedelta(minutes=int(offset_minutes)), oldest)

    def may_see_transactions(self, session: Session) -> bool:
        """Whether the login may know of transactions that are not its own."""
        [(allowed,)] = session.all(MAY_SEE_TRANSACTIONS)
        return bool(allowed)

    def names(self, session: Session) -> list[Relation]:
        return catalogue.names(session)

    def columns(self, session: Session, relation: Relation) -> tuple[QueriedColumn, ...]:
        return catalogue.columns(session, relation)

    def primary_key(self, session: Session, relation: Relation) -> tuple[str, ...]:
        return catalogue.primary_key(session, relation)

    def offers(self, session: Session) -> Iterator[Offered]:
        return catalogue.offers(session)
