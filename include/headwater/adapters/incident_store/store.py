"""The IncidentStore port over SQLAlchemy: PostgreSQL in use, SQLite in fast tests."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from headwater.adapters.incident_store.claiming import claim_due, delivery_of
from headwater.adapters.incident_store.recording import record
from headwater.adapters.incident_store.tables import DELIVERIES, FAILURES, INCIDENTS
from headwater.adapters.run_store.database import Database
from headwater.domain.errors import NotFoundError
from headwater.domain.incident import Delivery, Failure, Incident

LONGEST_ERROR = 500


class _Transactions(Database):
    """The run store's database; its ``close`` is not the port's, which closes an incident."""

    def begin(self) -> AbstractContextManager[Connection]:
        return self._transaction()


class SqlIncidentStore:
    """Give it the URL of the run store's database, already migrated. Raises RunStoreError when it does not answer."""

    def __init__(self, url: str) -> None:
        self._database = _Transactions(url)

    def close_database(self) -> None:
        """Close the connections to the database."""
        self._database.close()

    def record(self, failure: Failure, draft: Incident, channels: Sequence[str]) -> tuple[Incident, bool]:
        with self._database.begin() as connection:
            return record(connection, failure, draft, channels)

    def get(self, incident_id: int) -> Incident | None:
        with self._database.begin() as connection:
            found = connection.scalar(select(INCIDENTS.c.document).where(INCIDENTS.c.id == incident_id))
        return None if found is None else Incident.model_validate_json(found)

    def list(self, status: str | None = None, pipeline: str | None = None, limit: int = 50) -> tuple[Incident, ...]:
        query = select(INCIDENTS.c.document).order_by(INCIDENTS.c.id.desc()).limit(limit)
        query = query if status is None else query.where(INCIDENTS.c.status == status)
        query = query if pipeline is None else query.where(INCIDENTS.c.pipeline == pipeline)
        with self._database.begin() as connection:
            return tuple(Incident.model_validate_json(text) for text in connection.scalars(query))

    def close(self, incident_id: int, why: str, at: datetime) -> None:
        """Closing what is closed changes nothing. :raises NotFoundError: when there is no such incident."""
        with self._database.begin() as connection:
            incident = self._locked(connection, incident_id)
            if incident.status == "closed":
                return
            closed = incident.model_copy(update={"status": "closed", "closed_at": at, "closed_why": why})
            connection.execute(
                update(INCIDENTS)
                .where(INCIDENTS.c.id == incident_id)
                .values(status="closed", document=closed.model_dump_json())
            )

    def due(self, now: datetime, limit: int = 50) -> tuple[Delivery, ...]:
        with self._database.begin() as connection:
            return claim_due(connection, now, limit)

    def delivered(self, delivery_id: int, at: datetime) -> None:
        sent = {"status": "sent", "sent_at": at, "attempts": DELIVERIES.c.attempts + 1, "last_error": None}
        self._update_delivery(delivery_id, sent)

    def postpone(self, delivery_id: int, error: str, next_try_at: datetime) -> None:
        later = {
            "attempts": DELIVERIES.c.attempts + 1,
            "next_try_at": next_try_at.astimezone(UTC),
            "claimed_until": None,
            "last_error": error.replace("\0", "")[:LONGEST_ERROR],
        }
        self._update_delivery(delivery_id, later)

    def failures_seen(self, pipeline: str, run_id: str) -> tuple[Failure, ...]:
        query = (
            select(FAILURES.c.document)
            .where(FAILURES.c.pipeline == pipeline, FAILURES.c.run_id == run_id)
            .order_by(FAILURES.c.id)
        )
        with self._database.begin() as connection:
            return tuple(Failure.model_validate_json(text) for text in connection.scalars(query))

    def deliveries(self, incident_id: int) -> tuple[Delivery, ...]:
        """What became of an incident's alerts, for ``headwater incidents``."""
        query = select(DELIVERIES).where(DELIVERIES.c.incident_id == incident_id).order_by(DELIVERIES.c.id)
        with self._database.begin() as connection:
            return tuple(delivery_of(row) for row in connection.execute(query))

    def _update_delivery(self, delivery_id: int, values: dict[str, object]) -> None:
        with self._database.begin() as connection:
            waiting = (DELIVERIES.c.id == delivery_id) & (DELIVERIES.c.status == "waiting")
            connection.execute(update(DELIVERIES).where(waiting).values(**values))

    def _locked(self, connection: Connection, incident_id: int) -> Incident:
        query = select(INCIDENTS.c.document).where(INCIDENTS.c.id == incident_id).with_for_update()
        found = connection.scalar(query)
        if found is None:
            raise NotFoundError(f"there is no incident {incident_id}", remedy="list them with: headwater incidents")
        return Incident.model_validate_json(found)
