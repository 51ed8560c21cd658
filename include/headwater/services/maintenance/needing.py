"""What the run store's records need of a table: releases, runs under way, what is held (rule 41)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from headwater.domain.names import TableName
from headwater.domain.release import Release
from headwater.domain.staging import StagedTable
from headwater.ports.run_store import RunStore
from headwater.services.maintenance.keeping import Needed, kept_releases, needed_of_releases

_PAGE = 100
_RUNS = 2000
"""Newest runs of all pipelines that are looked at for plans that were not followed to their end."""


def needed(runs: RunStore, table: TableName, cutoff: datetime) -> Needed:
    """What may be asked for of a table by anybody the run store knows of."""
    of_releases = needed_of_releases(table, releases_since(runs, table.source, cutoff))
    staged = list(_waiting(runs))
    branches = frozenset(runs.live_branches().get(table.dotted, ()))
    snapshots = {snapshot for item in staged for snapshot in _of_staging(item, table)} | set(_planned(runs, table))
    states = [item.state for item in staged if item.table == table]
    paths = {path for state in states for path in (state.ledger, state.source_columns) if path}
    return Needed(
        snapshots=of_releases.snapshots | snapshots,
        paths=of_releases.paths | paths,
        branches=branches,
        attempts=frozenset(branch.removeprefix("hw_") for branch in branches),
    )


def releases_since(runs: RunStore, pipeline: str, cutoff: datetime) -> tuple[Release, ...]:
    """A pipeline's releases that are kept."""
    limit = _PAGE
    found = runs.releases(pipeline, limit=limit)
    while len(found) == limit and not _reach(found, cutoff):
        limit *= 4
        found = runs.releases(pipeline, limit=limit)
    # of a line that has been quiet for long, the newest release may lie beyond the page; it is current all the same
    current = (release for release in runs.current() if release.pipeline == pipeline)
    kept = kept_releases(found, cutoff)
    return (*kept, *(release for release in current if release not in kept))


def _reach(found: tuple[Release, ...], cutoff: datetime) -> bool:
    """Whether of every line among these releases there is one from before the cutoff."""
    published = [release for release in found if release.status == "published"]
    old = {release.scope for release in published if (release.published_at or release.created_at) < cutoff}
    return {release.scope for release in published} <= old


def _waiting(runs: RunStore) -> Iterator[StagedTable]:
    """What waits for a person, and what runs that have not ended staged."""
    for record in runs.held():
        yield record.staged
    for run in runs.runs(limit=_RUNS):
        if run.state == "running":
            yield from (item.staged for item in runs.staged(str(run.run_key)) if item.status == "staged")


def _of_staging(staged: StagedTable, table: TableName) -> Iterator[int]:
    if staged.table == table:
        yield staged.staged
        if staged.base is not None:
            yield staged.base
    if table.dotted in staged.state.inputs:
        yield staged.state.inputs[table.dotted].snapshot_id


def _planned(runs: RunStore, table: TableName) -> Iterator[int]:
    """Inputs that plans froze, of runs that are under way or can be cleared and go on."""
    for run in runs.runs(limit=_RUNS):
        if run.state in {"success", "superseded"}:
            continue
        plan = runs.plan(str(run.run_key))
        if plan is None:
            continue
        if table.dotted in plan.inputs:
            yield plan.inputs[table.dotted]
        if table.dotted in plan.input_refs:
            yield plan.input_refs[table.dotted].snapshot_id
