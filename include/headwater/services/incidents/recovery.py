"""Closes incidents whose pipeline has healed."""

from __future__ import annotations

from datetime import datetime

from headwater.domain.errors import RequestError
from headwater.domain.extract_errors import SourceDiffersError
from headwater.domain.incident import Incident
from headwater.domain.release import Release
from headwater.ports.incident_store import IncidentStore
from headwater.ports.run_store import RunRecord, RunStore
from headwater.services.drift_notices import CAUSE as SCHEMA_CHANGED
from headwater.services.incidents.audience import parsed_table

HEALED_BY_RUNS = frozenset({"failed", "held", "notice"})
"""Kinds that a later run heals; ``late`` is closed by the freshness check."""
HEALED_OTHERWISE = frozenset({SourceDiffersError.code})
"""Causes that a green run says nothing of: the next reconciliation closes them."""


def close_recovered(store: IncidentStore, runs: RunStore, pipeline: str, now: datetime) -> tuple[int, ...]:
    """Close open incidents of a pipeline that a later run or release healed; returns their numbers.

    A run heals when it ended green after the incident was last seen and covered its table. A release heals the tables
    it moved, even when its run ended red for another table.
    """
    recent = runs.runs(pipeline, limit=50)
    releases = tuple(item for item in runs.releases(pipeline, limit=50) if item.status == "published")
    closed = []
    for incident in store.list(status="open", pipeline=pipeline, limit=1000):
        why = None
        if incident.cause == SCHEMA_CHANGED:
            why = _outlived(incident, recent, store, runs)
        elif incident.kind in HEALED_BY_RUNS and incident.cause not in HEALED_OTHERWISE:
            why = _healed_by(incident, recent, releases, runs)
        if why is not None:
            store.close(incident.id, why, now)
            closed.append(incident.id)
    return tuple(closed)


def close_all(store: IncidentStore, pipeline: str, why: str, now: datetime) -> None:
    """Close what is open of a pipeline that has no releases: it got through."""
    for incident in store.list(status="open", pipeline=pipeline, limit=1000):
        store.close(incident.id, why, now)


def _outlived(incident: Incident, recent: tuple[RunRecord, ...], store: IncidentStore, runs: RunStore) -> str | None:
    """A later green run that read the table did not meet the change again. The run that bore it heals nothing."""
    name = parsed_table(incident.table)
    for run in recent:
        plan, ended = runs.plan(str(run.run_key)), run.ended_at
        planned = plan.table(name.table) if plan is not None and name is not None else None
        if run.state != "success" or ended is None or ended <= incident.last_seen:
            continue
        if planned is None or planned.window.kind == "nothing":
            continue
        seen = store.failures_seen(incident.pipeline, run.run_key.run_id)
        if not any((item.cause, item.table) == (incident.cause, incident.table) for item in seen):
            return f"run {run.run_key.run_id} met nothing of it"
    return None


def _healed_by(
    incident: Incident, recent: tuple[RunRecord, ...], releases: tuple[Release, ...], runs: RunStore
) -> str | None:
    for release in releases:
        if release.kind == "rollback" or release.published_at is None or release.published_at <= incident.last_seen:
            continue
        if any(item.moved and item.table.dotted == incident.table for item in release.tables):
            return f"released by {release.id}"
    for run in recent:
        ended = run.ended_at
        if run.state == "success" and ended is not None and ended > incident.last_seen and _covers(run, incident, runs):
            return f"healed by run {run.run_key.run_id}"
    return None


def _covers(run: RunRecord, incident: Incident, runs: RunStore) -> bool:
    """Whether the run did what the incident is about: not a dry run, nor one of other tables only.

    A rebuild reads nothing from the source, and so says nothing of it. Of a wrong request any run says that there is
    a right one.
    """
    plan = runs.plan(str(run.run_key))
    if plan is None or plan.request.dry_run:
        return plan is None
    if incident.cause == RequestError.code:
        return True
    if plan.request.rebuild:
        return incident.table in plan.request.rebuild
    name = parsed_table(incident.table)
    wanted = plan.request.tables
    return not wanted or (name is not None and name.table in wanted)
