"""An Airflow notifier that hands a failure to Headwater's outbox.

``on_failure_callback=IncidentNotifier()`` in a hand-written DAG gives its failures what generated DAGs have: one
incident per cause, the runbook's steps, and an alert that is sent again until it arrives.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier

from headwater_airflow.callbacks import open_incident

if TYPE_CHECKING:
    from airflow.sdk import Context


class IncidentNotifier(BaseNotifier):
    """Opens or counts up the incident of a failed task. Airflow logs what it raises and goes on."""

    def notify(self, context: Context) -> None:
        """Record the failure and try one quick send."""
        error = context.get("exception")
        incident = open_incident(context, error if isinstance(error, BaseException) else None)
        self.log.info("incident %s: %s", incident.id, incident.title)

    async def async_notify(self, context: Context) -> None:
        """The same beside an event loop."""
        await asyncio.to_thread(self.notify, context)
