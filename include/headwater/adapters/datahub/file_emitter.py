"""Lineage without a server: one file of events per run."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from headwater.adapters.datahub.event_file import write_events
from headwater.adapters.datahub.metadata_events import metadata_events
from headwater.domain.lineage import RunFacts


class FileLineageEmitter:
    """Keeps each run's events in ``<folder>/<pipeline>/<run id>.json``; ``datahub ingest`` can send them later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def emit(self, facts: RunFacts) -> str:
        """Write the run's file; the same run again replaces it.

        A full or read-only disk is told in the line, not raised: lineage never fails data.
        """
        events = metadata_events(facts)
        path = self._folder / facts.pipeline / f"{quote(facts.run_id, safe='')}.json"
        try:
            write_events(path, events)
        except OSError as error:
            return f"lineage of {facts.run_id} NOT kept: {path}: {error.strerror}"
        return f"lineage: {len(events)} metadata events in {path}"

    def flush_spool(self) -> int:
        """Nothing is ever spooled: a file needs no server."""
        return 0
