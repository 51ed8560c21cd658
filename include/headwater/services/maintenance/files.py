"""Bringing small files and manifests together: staged on a branch, published by the guard of every publish (17)."""

from __future__ import annotations

from headwater.domain.errors import CatalogError, StaleBaseError
from headwater.domain.maintenance import MaintainTable, Upkeep
from headwater.domain.maintenance_errors import MaintenanceError
from headwater.domain.release import Move
from headwater.domain.staging import branch_of, new_attempt
from headwater.ports.failpoints import failpoint
from headwater.ports.upkeep import TableHistory, ancestors
from headwater.services.maintenance.rewriting import manifests_are_many, rewrite_of, why_left
from headwater.services.maintenance.slices import Slice
from headwater.services.maintenance.steps import in_spark, told


def rewrite_files(part: Slice) -> list[Upkeep]:
    """Rewrite what is worth it; ``main`` becomes a snapshot of equal content that stands for the published one.

    A table with a live or held attempt is left: that attempt's base must stay ``main`` (rule 21).
    """
    platform, table = part.platform, part.table
    history = platform.upkeep.history(table)
    if history is None or history.state is None or history.main is None:
        return []
    branch, settings = branch_of(new_attempt()), platform.settings.maintenance
    rewrite, merges = rewrite_of(history, settings, branch, part.most_files), manifests_are_many(history)
    if rewrite is None and not merges:
        note = why_left(history, settings)
        return [_left(part, note)] if note else []
    if platform.runs.live_branches().get(table.dotted):
        return [_left(part, "an attempt waits on what main is now")]
    if part.dry_run:
        main = history.snapshot(history.main)
        files = 0 if rewrite is None or main is None else rewrite.max_files
        note = f"{history.manifests} manifests" if merges else ""
        return [told(part, "files", table, files=files).model_copy(update={"note": note})]
    platform.catalog.cut_branch(table, branch, history.main)
    try:
        failpoint("maintain.files.begin")
        done = told(part, "files", table)
        if rewrite is not None:
            done = in_spark(part, "files", MaintainTable(table=table, rewrite=rewrite))
        failpoint("maintain.files.rewritten")
        _merge_manifests(part, branch)
        return _publish(part, history, branch, done)
    finally:
        platform.catalog.drop_branches(table, [branch])


def _merge_manifests(part: Slice, branch: str) -> None:
    try:
        part.platform.upkeep.merge_manifests(part.table, branch)
    except CatalogError:
        part.assert_held()  # a run that took the table over has dropped the branch
        raise


def _publish(part: Slice, before: TableHistory, branch: str, done: Upkeep) -> list[Upkeep]:
    after = part.platform.upkeep.history(part.table)
    target = after.branches.get(branch) if after else None
    if after is None or before.state is None or target in {None, before.main}:
        return []
    part.assert_held()
    _assert_equal(part, after, before.main, target)
    known = before.state.stands_for or before.main
    state = before.state.model_copy(update={"stands_for": known})
    move = Move.model_validate(
        {"table": part.table, "base": before.main, "target": target, "branch": branch, "state": state}
    )
    failpoint("maintain.files.publish")
    try:
        part.platform.catalog.publish([move])
    except StaleBaseError:
        return [_left(part, "a run took it over meanwhile; nothing was changed")]
    failpoint("maintain.files.published")
    now = part.platform.upkeep.history(part.table)
    manifests = now.manifests if now else 0
    merged = f"manifests {before.manifests} to {manifests}" if manifests < before.manifests else ""
    note = "; ".join(filter(None, (done.note, merged)))
    return [done.model_copy(update={"status": "done", "note": note})]


def _assert_equal(part: Slice, history: TableHistory, before: int | None, after: int | None) -> None:
    """The rows a snapshot counts are what releases tell; a rewrite that counts others is never shown.

    Nor is one that does not descend from what it rewrites: a writer whose branch was dropped makes it again, from
    nothing (rule 10).

    :raises MaintenanceError: when the two snapshots do not count the same rows.
    """
    old, new = history.snapshot(before), history.snapshot(after)
    is_made_on_it = before in set(ancestors(history, after))
    if old is None or new is None or old.rows != new.rows or not is_made_on_it:
        raise MaintenanceError(
            f"{part.table}: the rewritten files do not count the rows of the table; they were thrown away",
            got=f"{new.rows if new else 'no'} rows", allowed=f"{old.rows if old else 'no'} rows",
            remedy="Readers see the table as it was. Report this with the task's log.",
            facts={"table": part.table.dotted, "step": "files"},
        )  # fmt: skip


def _left(part: Slice, note: str) -> Upkeep:
    return Upkeep(step="files", table=part.table.dotted, status="left", note=note)
