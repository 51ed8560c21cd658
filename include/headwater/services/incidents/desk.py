"""The desk where failures come in and leave as incidents that name the remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from headwater.domain.errors import NotFoundError
from headwater.domain.incident import Failure, Incident
from headwater.domain.lineage import SourcePlace
from headwater.domain.settings import Settings
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.ports.clock import Clock
from headwater.ports.incident_store import IncidentStore
from headwater.ports.run_store import RunStore
from headwater.services.incidents.audience import matters_to, owner_of, still_visible
from headwater.services.incidents.context import channels_for, done_already, links_of, standard_facts
from headwater.services.incidents.placeholders import one_line
from headwater.services.incidents.remedy import remedy
from headwater.services.incidents.runbook import Runbook

LONGEST_ERROR_LINE = 300


@dataclass(frozen=True)
class IncidentDesk:
    """Everything needed to explain a failure.

    :param specs: pipeline name -> resolved spec; a pipeline without one is told to the platform team.
    :param runbooks: code -> runbook, from ``load_runbooks``; ``unknown`` must be among them.
    :param places: connection id -> what it leads to, of the connections that are known here.
    :param redact: masks secrets in any text (``headwater.adapters.redaction.Redactor``).
    """

    store: IncidentStore
    runs: RunStore
    specs: Mapping[str, PipelineSpec]
    runbooks: Mapping[str, Runbook]
    settings: Settings
    redact: Callable[[str], str]
    clock: Clock
    places: Mapping[str, SourcePlace] = field(default_factory=dict)

    def report(self, failure: Failure) -> tuple[Incident, bool]:
        """Record a failure: insert only, nothing is sent (``send_due`` does that).

        A task that fails after its own tables were reported is the same news, so it opens nothing more.

        :returns: the incident, and whether this failure was new.
        """
        clean = self._clean(failure)
        told = self._already_told(clean)
        if told is not None:
            return told, False
        draft = self._draft(clean)
        return self.store.record(clean, draft, channels_for(draft.owner, self.settings))

    def note(self, failure: Failure) -> None:
        """Keep a failure that whoever asked is told where they asked: nothing is sent and nothing stays open.

        Without a trace the watchdog would take it for a killed task.
        """
        clean = self._clean(failure)
        incident, _ = self.store.record(clean, self._draft(clean), ())
        self.store.close(incident.id, "told to whoever asked", self.clock.now())

    def _clean(self, failure: Failure) -> Failure:
        facts = {name: self.redact(value) for name, value in failure.facts.items()}
        return failure.model_copy(update={"message": self.redact(failure.message), "facts": facts})

    def _already_told(self, failure: Failure) -> Incident | None:
        if failure.table is not None or failure.kind != "failed":
            return None
        same_task = [
            seen
            for seen in self.store.failures_seen(failure.pipeline, failure.run_id)
            if (seen.task_id, seen.map_index, seen.try_number)
            == (failure.task_id, failure.map_index, failure.try_number)
            and seen.table is not None
        ]
        if not same_task:
            return None
        incidents = self.store.list(pipeline=failure.pipeline, limit=1000)
        told = {(seen.table, seen.kind, seen.cause) for seen in same_task}
        return next((item for item in incidents if (item.table, item.kind, item.cause) in told), None)

    def _draft(self, failure: Failure) -> Incident:
        spec = self.specs.get(failure.pipeline)
        runbook = self.runbooks.get(failure.cause) or self.runbooks.get("unknown")
        if runbook is None:
            raise NotFoundError("no runbook 'unknown' is among the runbooks", remedy="restore include/runbooks/")
        place = self.places.get(spec.connection) if isinstance(spec, SourceSpec) else None
        facts = standard_facts(failure, spec, place) | {name: value for name, value in failure.facts.items() if value}
        words = remedy(runbook, facts)
        visible = still_visible(self.runs.current(), failure.pipeline, failure.table)
        return Incident(
            id=0,
            kind=failure.kind,
            cause=failure.cause,
            pipeline=failure.pipeline,
            table=failure.table,
            title=words.title,
            error_line=one_line(next(iter(failure.message.strip().splitlines()), ""), LONGEST_ERROR_LINE),
            likely_cause=words.likely_cause,
            steps=words.steps,
            matters_to=matters_to(self.specs, failure.pipeline, failure.table),
            still_visible=visible,
            done_already=done_already(failure),
            links=links_of(failure, runbook.code, self.settings),
            facts=facts,
            owner=owner_of(spec, failure.table),
            first_seen=failure.seen_at,
            last_seen=failure.seen_at,
        )
