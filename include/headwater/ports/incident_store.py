"""Incidents and the outbox of their deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from headwater.domain.incident import Delivery, Failure, Incident


class IncidentStore(Protocol):
    def record(self, failure: Failure, draft: Incident, channels: Sequence[str]) -> tuple[Incident, bool]:
        """In one transaction: insert the failure (unique per dag, run, task, map index, try, kind and table, because
        one gate task can hold several tables), open or count up the incident of the same pipeline, table, kind, cause
        and matter, and queue one delivery per channel for a new one.

        A repeat keeps number, first sight and owner of the open incident and takes the draft's texts and facts.
        ``{incident}`` in the draft's texts becomes the number (``Incident.numbered``).

        :returns: the incident, and whether this failure was new.
        """
        ...

    def get(self, incident_id: int) -> Incident | None: ...

    def list(self, status: str | None = None, pipeline: str | None = None, limit: int = 50) -> tuple[Incident, ...]:
        """Newest first."""
        ...

    def close(self, incident_id: int, why: str, at: datetime) -> None: ...

    def due(self, now: datetime, limit: int = 50) -> tuple[Delivery, ...]:
        """Deliveries waiting whose time has come; claimed for one minute so that two senders do not both send."""
        ...

    def delivered(self, delivery_id: int, at: datetime) -> None: ...

    def postpone(self, delivery_id: int, error: str, next_try_at: datetime) -> None: ...

    def failures_seen(self, pipeline: str, run_id: str) -> tuple[Failure, ...]: ...
