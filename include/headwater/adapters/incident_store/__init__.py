"""Incidents and the outbox in the run store's database."""

from headwater.adapters.incident_store.store import SqlIncidentStore

__all__ = ["SqlIncidentStore"]
