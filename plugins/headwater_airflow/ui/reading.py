"""What Headwater's pages show, read from the run store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from headwater.domain.names import pipeline_of
from headwater.domain.run import RunKey

if TYPE_CHECKING:
    from headwater.domain.change import SpecChange
    from headwater.domain.incident import Incident
    from headwater.domain.release import Release
    from headwater.ports.platform import Platform
    from headwater.ports.run_store import RunRecord

RECENT = 20
SEARCHED = 200
"""How many of a pipeline's newest releases and incidents a run is looked for in."""


@dataclass(frozen=True)
class Reader:
    """Releases, runs and incidents by what a person clicks on."""

    platform: Platform

    def recent(self) -> tuple[tuple[RunRecord, ...], tuple[Incident, ...]]:
        """The newest runs, and what is open."""
        return self.platform.runs.runs(limit=RECENT), self.platform.incidents.list(status="open", limit=RECENT)

    def releases_of(self, dag_id: str, run_id: str) -> tuple[Release, ...]:
        """What a run made visible, oldest first; empty when it published nothing."""
        key = self._key(dag_id, run_id)
        found = [item for item in self.platform.runs.releases(dag_id, limit=SEARCHED) if item.run_key == key]
        return tuple(reversed(found))

    def changes_of(self, dag_id: str, run_id: str) -> tuple[SpecChange, ...]:
        """What the files of a run changed of the tables that were there; nothing for a run without a plan."""
        plan = self.platform.runs.plan(self._key(dag_id, run_id))
        return plan.changes if plan is not None else ()

    def _key(self, dag_id: str, run_id: str) -> str:
        return str(RunKey(installation=self.platform.runs.installation(), dag_id=dag_id, run_id=run_id))

    def incidents_of(self, dag_id: str, run_id: str) -> tuple[Incident, ...]:
        """Incidents that a failure of this run opened or counted up."""
        pipeline, store = pipeline_of(dag_id), self.platform.incidents
        causes = {(seen.table, seen.kind, seen.cause) for seen in store.failures_seen(pipeline, run_id)}
        incidents = store.list(pipeline=pipeline, limit=SEARCHED)
        return tuple(item for item in incidents if (item.table, item.kind, item.cause) in causes)

    def release(self, release_id: str) -> Release | None:
        """A release by its id."""
        return self.platform.runs.release(release_id)

    def incident(self, incident_id: int) -> Incident | None:
        """An incident by its number."""
        return self.platform.incidents.get(incident_id)


@cache
def open_reader() -> Reader:
    """One reader per API server process."""
    from headwater.adapters.platform import open_platform

    return Reader(open_platform())
