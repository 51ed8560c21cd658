"""Lineage to a DataHub server that may be slow, wrong or gone, without the data ever waiting for it."""

from __future__ import annotations

from pathlib import Path
from threading import Event as Signal
from threading import Thread

from headwater.adapters.datahub.gms_client import GmsClient
from headwater.adapters.datahub.metadata_events import metadata_events
from headwater.adapters.datahub.spool import EventSpool
from headwater.adapters.datahub.spool_sender import Sending, SpoolSender
from headwater.domain.errors import HeadwaterError
from headwater.domain.lineage import RunFacts
from headwater.ports.connections import Connections


class DataHubLineageEmitter:
    """Spools a run's events first, then sends all that waits, oldest run first.

    :param patience_seconds: after this long ``emit`` and ``flush_spool`` return; what is unsent stays spooled.
    """

    def __init__(
        self, connections: Connections, connection_id: str, spool_folder: Path, patience_seconds: float = 15
    ) -> None:
        self._connections = connections
        self._connection_id = connection_id
        self._spool = EventSpool(spool_folder)
        self._patience_seconds = patience_seconds

    def emit(self, facts: RunFacts) -> str:
        """Send, or say what waits and why. A missing connection or a full disk is told in the line, too."""
        events = metadata_events(facts)
        try:
            self._spool.add(events)
        except OSError as error:
            return f"lineage of {facts.run_id} NOT kept: {self._spool.folder}: {error.strerror}"
        return self._line(self._send())

    def flush_spool(self) -> int:
        """Send what waits, in order; returns how many events remain."""
        self._send()
        return self._spool.count()

    def _send(self) -> Sending:
        try:
            client = GmsClient(self._connections.resolve(self._connection_id))
        except HeadwaterError as error:
            return Sending(trouble=error.message)
        abandoned = Signal()
        sender = SpoolSender(self._spool, client, abandoned)
        # A thread, because a server that drips bytes outlives any time-out of the HTTP library.
        worker = Thread(target=sender.run, name="lineage", daemon=True)
        worker.start()
        worker.join(self._patience_seconds)
        if worker.is_alive():
            abandoned.set()
            return Sending(sender.state.sent, sender.state.refused, sender.state.refusal, "it took too long")
        client.close()
        return sender.state

    def _line(self, sending: Sending) -> str:
        parts = [f"lineage: {sending.sent} metadata events sent to DataHub"]
        if sending.refused:
            aside = self._spool.refused_folder
            parts.append(f"{sending.refused} refused ({sending.refusal}), kept in {aside}")
        waiting = self._spool.count()
        if waiting:
            why = sending.trouble or "another run is sending"
            parts.append(f"{waiting} wait in {self._spool.folder} for the next run ({why})")
        return "; ".join(parts)
