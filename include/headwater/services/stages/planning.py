"""plan_run: take the leases, then freeze windows and inputs, so that a retry does the same work."""

from __future__ import annotations

import json

from headwater.domain.change import Effect, SpecChange
from headwater.domain.errors import RequestError, SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef, RunPlan, RunRequest
from headwater.domain.spec import ProductSpec, spec_document
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import RunRecord
from headwater.services.changes import planned_changes, refuse_unreadable
from headwater.services.context import RunContext
from headwater.services.leasing import take_leases
from headwater.services.rebuilding import check_bound, check_rebuild
from headwater.services.refusing import forget_refused
from headwater.services.table_plans import instant, is_moved, plan_table, renewed


def run(platform: Platform, run: RunContext, request: RunRequest) -> RunPlan:
    """Freeze the run's plan (rules 5-7, 39), or return the one it has, with the files as they are now.

    A dry run takes no lease and stores nothing.

    :raises LeaseBusyError: when other runs hold tables of this pipeline; it names them.
    :raises SpecError: when the request cannot be met, such as a backfill of a snapshot extract.
    :raises RequestError: when the run was cleared, and the files changed what it has published.
    :raises ChangeRefusedError: when the files changed how a table is read, and it cannot be read on so (rule 14).
    """
    if request.dry_run:
        return _plan(platform, run, request, planned_changes(platform, run.spec, request))
    take_leases(platform, run)
    failpoint("plan.after_lease")
    changes = planned_changes(platform, run.spec, request)
    refuse_unreadable(run.spec, changes)
    stored = platform.runs.plan(run.key)
    document = json.dumps(spec_document(run.spec), sort_keys=True)
    if stored is not None and not _superseded(platform, run, stored):
        return _renew(platform, run, stored, document, changes)
    plan = _plan(platform, run, request, changes)
    if stored is None:
        plan = platform.runs.save_plan(plan, document, run.bundle_version)
    else:
        platform.runs.replace_plan(plan, document)
    platform.runs.save_run(
        RunRecord(
            run_key=run.run_key,
            state="running",
            planned_at=plan.planned_at,
            reason=request.reason,
            bundle_version=run.bundle_version,
        )
    )
    failpoint("plan.end")
    return plan


def _renew(
    platform: Platform, run: RunContext, stored: RunPlan, document: str, changes: tuple[SpecChange, ...]
) -> RunPlan:
    plan = renewed(platform, run, stored)
    if plan is stored:
        return stored
    _refuse_late(platform, run, changes)
    plan = plan.model_copy(update={"changes": changes})
    platform.runs.renew_plan(plan, document)
    _note_files(platform, run)
    forget_refused(platform, run, run.spec, stored, plan)
    return plan


def _note_files(platform: Platform, run: RunContext) -> None:
    """A cleared run may have been moved to another commit; what it does from here on it does by that one's files."""
    record = platform.runs.run(run.key)
    if record is not None and record.bundle_version != run.bundle_version:
        platform.runs.save_run(record.model_copy(update={"bundle_version": run.bundle_version}))


def _refuse_late(platform: Platform, run: RunContext, changes: tuple[SpecChange, ...]) -> None:
    """What a run has published it made by the files of before; by this run's stored spec later runs tell changes."""
    done = {record.staged.table for record in platform.runs.staged(run.key) if record.status == "published"}
    late = [change.text for change in changes if change.table in done and change.effect is not Effect.NOTHING]
    if late:
        raise RequestError(
            f"run {run.run_key.run_id} has published tables that the files make otherwise now",
            got="; ".join(late),
            allowed="changes of tables that the run has not published",
            remedy=f"Start a new run of {run.spec.name}; it covers what this one held.",
        )


def _superseded(platform: Platform, run: RunContext, stored: RunPlan) -> bool:
    """Whether ``main`` moved before anything of this key was published (rule 7)."""
    if any(record.status == "published" for record in platform.runs.staged(run.key)):
        return False
    if isinstance(run.spec, ProductSpec):
        return False
    return any(is_moved(platform, run.spec, table) for table in stored.tables)


def _plan(platform: Platform, run: RunContext, request: RunRequest, changes: tuple[SpecChange, ...]) -> RunPlan:
    planned_at = instant(platform, run)
    common = {
        "run_key": run.run_key,
        "kind": request.kind,
        "planned_at": planned_at,
        "spec_hash": platform.model.spec_hash(run.spec),
        "request": request,
        "changes": changes,
    }
    check_rebuild(run, request)
    if isinstance(run.spec, ProductSpec):
        return RunPlan.model_validate({**common, **released_inputs(platform, run)})
    tables = [table for table in run.spec.tables if not request.tables or table.name in request.tables]
    unknown = set(request.tables) - {table.name for table in run.spec.tables}
    if unknown:
        raise SpecError(
            f"{run.spec.name} has no table {', '.join(sorted(unknown))}",
            allowed=", ".join(table.name for table in run.spec.tables),
            remedy="Choose tables of this source.",
        )
    plans = tuple(plan_table(platform, run.spec, table, request, planned_at) for table in tables)
    check_bound(platform, run, request, plans, planned_at)
    return RunPlan.model_validate({**common, "tables": plans, **released_inputs(platform, run)})


def released_inputs(platform: Platform, run: RunContext) -> dict[str, object]:
    """``inputs`` and ``input_refs`` of a plan: every released table the gold reads from elsewhere (rule 39).

    An input without a release is left out: the tables that read it wait, and a product is triggered again by the run
    that releases it.
    """
    wanted = _foreign(run)
    if not wanted:
        return {}
    readable = platform.runs.current([Layer.SILVER, Layer.GOLD])
    found = {t.table: t for release in readable for t in release.tables}
    known = {name.dotted: found[name] for name in sorted(wanted, key=str) if name in found}
    refs = {
        dotted: InputRef(snapshot_id=t.snapshot_id, batch=t.state.batch, generation=t.state.generation)
        for dotted, t in known.items()
        if t.state is not None
    }
    return {"inputs": {dotted: t.snapshot_id for dotted, t in known.items()}, "input_refs": refs}


def _foreign(run: RunContext) -> set[TableName]:
    return {name for gold in run.spec.gold for name in gold.inputs if name.source != run.spec.name}
