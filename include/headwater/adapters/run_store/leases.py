"""Leases: one writer per table, by the database's clock (rule 23)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Row, delete, func, select, update

from headwater.adapters.run_store.database import Database, insert_into, put_once
from headwater.adapters.run_store.tables import LEASE_LOSSES, LEASES
from headwater.domain.names import TableName
from headwater.ports.run_store import Lease


class Leases(Database):
    """The part of the run store that knows who writes where."""

    def acquire(
        self, tables: Sequence[TableName], run_key: str, holder: str, ttl_seconds: float, takeover: bool = False
    ) -> tuple[Lease, ...]:
        names = sorted({table.dotted for table in tables})
        with self._transaction() as connection:
            rows = _locked(connection, names)
            now = _now(connection)
            blocking = [row for row in rows if not _free(row, run_key, now, takeover)]
            if blocking:
                return tuple(map(_lease, blocking))
            for row in rows:
                renewed = row.run_key == run_key and row.expires_at > now
                if row.run_key not in (None, run_key):
                    lost: dict[str, object] = {"run_key": row.run_key, "table_name": row.table_name}
                    put_once(connection, LEASE_LOSSES, ("run_key", "table_name"), lost)
                connection.execute(
                    update(LEASES)
                    .where(LEASES.c.table_name == row.table_name)
                    .values(
                        run_key=run_key,
                        holder=holder,
                        token=row.token if renewed else row.token + 1,
                        heartbeat_at=now,
                        expires_at=now + ttl_seconds,
                    )
                )
            connection.execute(delete(LEASE_LOSSES).where(LEASE_LOSSES.c.run_key == run_key))
            taken = connection.execute(
                select(LEASES).where(LEASES.c.table_name.in_(names)).order_by(LEASES.c.table_name)
            )
            return tuple(map(_lease, taken))

    def heartbeat(self, run_key: str, ttl_seconds: float) -> bool:
        with self._transaction() as connection:
            now = _now(connection)
            extended = connection.execute(
                update(LEASES).where(LEASES.c.run_key == run_key).values(heartbeat_at=now, expires_at=now + ttl_seconds)
            )
            lost = connection.execute(select(func.count()).where(LEASE_LOSSES.c.run_key == run_key)).scalar_one()
        return extended.rowcount > 0 and lost == 0

    def release_leases(self, run_key: str) -> None:
        with self._transaction() as connection:
            connection.execute(update(LEASES).where(LEASES.c.run_key == run_key).values(run_key=None))
            connection.execute(delete(LEASE_LOSSES).where(LEASE_LOSSES.c.run_key == run_key))

    def leases(self) -> tuple[Lease, ...]:
        held = select(LEASES).where(LEASES.c.run_key.is_not(None)).order_by(LEASES.c.table_name)
        with self._transaction() as connection:
            return tuple(map(_lease, connection.execute(held)))


def _locked(connection: Connection, names: Sequence[str]) -> Sequence[Row[tuple[object, ...]]]:
    """The rows of these tables, made where absent, locked in the order of their names."""
    for name in names:
        free: dict[str, object] = {"table_name": name, "holder": "", "token": 0, "heartbeat_at": 0, "expires_at": 0}
        connection.execute(insert_into(connection, LEASES, free).on_conflict_do_nothing())
    wanted = select(LEASES).where(LEASES.c.table_name.in_(names)).order_by(LEASES.c.table_name)
    return connection.execute(wanted.with_for_update()).all()


def _now(connection: Connection) -> float:
    """The database's clock, epoch seconds; in PostgreSQL the instant of the call, not of the transaction's start."""
    if connection.dialect.name == "postgresql":
        clock = select(func.extract("epoch", func.clock_timestamp()))
    else:
        clock = select((func.julianday("now") - 2440587.5) * 86400.0)
    return float(connection.execute(clock).scalar_one())


def _free(row: Row[tuple[object, ...]], run_key: str, now: float, takeover: bool) -> bool:
    return row.run_key in (None, run_key) or (takeover and row.expires_at <= now)


def _lease(row: Row[tuple[object, ...]]) -> Lease:
    return Lease(
        table=row.table_name,
        run_key=row.run_key,
        token=row.token,
        holder=row.holder,
        heartbeat_at=datetime.fromtimestamp(row.heartbeat_at, UTC),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
    )
