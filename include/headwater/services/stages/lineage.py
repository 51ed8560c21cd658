"""emit_lineage: tell the catalogue of metadata about the run. It never fails data."""

from __future__ import annotations

from typing import Literal

from headwater.domain.lineage import SourcePlace, TaskFacts
from headwater.domain.names import Layer
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SourceSpec
from headwater.ports.platform import Platform
from headwater.services.context import RunContext, planned
from headwater.services.drift_notices import changes_told
from headwater.services.lineage.facts import RunOutcome, build_run_facts
from headwater.services.lineage.places import place_of
from headwater.services.report import StageReport


def run(
    platform: Platform,
    run: RunContext,
    tasks: tuple[TaskFacts, ...],
    state: Literal["success", "failed"] = "success",
    url: str | None = None,
) -> StageReport:
    """Send datasets, column lineage, the run, its verdicts and row counts; what cannot be sent is spooled."""
    records = [r for r in platform.runs.staged(run.key) if r.staged.table.layer is not Layer.QUARANTINE]
    releases = [r for r in platform.runs.releases(run.spec.name, limit=50) if r.run_key == run.key]
    outcome = RunOutcome(
        state=state,
        ended_at=platform.clock.now(),
        releases=tuple(reversed(releases)),
        staged=tuple(record.staged for record in records),
        verdicts=tuple(v for v in (platform.runs.verdict(r.staged.table, r.staged.staged) for r in records) if v),
        schemas=_schemas(platform, run),
        sources=_source(platform, run),
        tasks=tasks,
        url=url,
        source_changes=changes_told(platform, run),
    )
    facts = build_run_facts(run.spec, planned(platform, run), outcome, platform.model.sql_lineage)
    return StageReport(stage="emit_lineage", message=platform.emitter.emit(facts))


def _source(platform: Platform, run: RunContext) -> dict[str, SourcePlace]:
    """What the source's connection leads to, so that its tables meet those DataHub's own connectors found."""
    if not isinstance(run.spec, SourceSpec):
        return {}
    place = place_of(platform.connections.resolve(run.spec.connection))
    return {} if place is None else {run.spec.connection: place}


def _schemas(platform: Platform, run: RunContext) -> dict[str, TableSchema]:
    """Columns of the pipeline's own tables, and of what its gold reads from others."""
    inputs = {name for gold in run.spec.gold for name in gold.inputs}
    names = {name for name in run.all_tables() if name.layer is not Layer.QUARANTINE} | inputs
    heads = (platform.catalog.head(name) for name in sorted(names, key=str))
    return {head.table.dotted: head.schema_ for head in heads if head is not None}
