"""Due deliveries, claimed so that two senders do not both send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from headwater.adapters.incident_store.tables import DELIVERIES
from headwater.domain.incident import Delivery

CLAIM = timedelta(minutes=1)


def claim_due(connection: Connection, now: datetime, limit: int) -> tuple[Delivery, ...]:
    """Oldest first. A claim ends by itself, so a sender that is killed keeps nothing back for longer than a minute."""
    at = now.astimezone(UTC)
    free = (
        select(DELIVERIES.c.id)
        .where(
            DELIVERIES.c.status == "waiting",
            DELIVERIES.c.next_try_at <= at,
            or_(DELIVERIES.c.claimed_until.is_(None), DELIVERIES.c.claimed_until <= at),
        )
        .order_by(DELIVERIES.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claim = (
        update(DELIVERIES)
        .where(DELIVERIES.c.id.in_(free.scalar_subquery()))
        .values(claimed_until=at + CLAIM)
        .returning(*DELIVERIES.c)
    )
    return tuple(sorted((delivery_of(row) for row in connection.execute(claim)), key=lambda item: item.id))


def delivery_of(row: Row[Any]) -> Delivery:
    """A row of the outbox as a value."""
    at: datetime = row.next_try_at
    return Delivery(
        id=row.id,
        incident_id=row.incident_id,
        channel=row.channel,
        status=row.status,
        attempts=row.attempts,
        next_try_at=at if at.tzinfo else at.replace(tzinfo=UTC),  # SQLite keeps no zone
        last_error=row.last_error,
    )
