"""refine_to_silver: one Spark job per run, every table of the source in parallel inside it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from headwater.domain.job import JobSpec, RefineTable
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef, RunPlan
from headwater.domain.spec import SourceSpec, TableSpec
from headwater.domain.staging import TableState, new_attempt
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.ports.run_store import SetAside
from headwater.services.context import RunContext, planned, source_of
from headwater.services.delivered_again import delivered_again
from headwater.services.layouts import layout_note, layout_to_change
from headwater.services.rebuilding import asked_anew, is_asked, takes_new_table
from headwater.services.refusing import hold_refused
from headwater.services.report import StageReport, TableOutcome
from headwater.services.table_jobs import TableJob, or_earlier, run_jobs

STAGE = "refine_to_silver"


def run(platform: Platform, run: RunContext) -> StageReport:
    """Stage silver of every table whose bronze has batches it has not refined. With none, no Spark job starts.

    :raises HeadwaterError: the first table's error, when every table of the stage failed.
    """
    started = time.monotonic()
    spec, plan = source_of(run), planned(platform, run)
    refused = hold_refused(platform, run, plan, Layer.SILVER, STAGE)
    found = [
        refused.get(spec.name_of(Layer.SILVER, table.table)) or _work(platform, run, plan, spec.table(table.table))
        for table in plan.tables
    ]
    quiet = tuple(item for item in found if isinstance(item, TableOutcome))
    jobs = [item for item in found if isinstance(item, TableJob)]
    if not jobs:
        told = tuple(_announced(platform, spec, outcome) for outcome in quiet)
        held = tuple(table.dotted for table in refused)
        return StageReport(stage=STAGE, outcomes=told, held=held, message="nothing new to refine")
    job = JobSpec(
        kind="refine",
        run_key=run.key,
        pipeline=run.spec.name,
        attempt=new_attempt(),
        planned_at=plan.planned_at,
        refine=tuple(item.item for item in jobs if isinstance(item.item, RefineTable)),
    )
    failpoint("refine.begin")
    done = run_jobs(platform, run, "refine_to_silver", jobs, job)
    failpoint("refine.end")
    held = tuple(table.dotted for table in (*refused, *done.failed))
    outcomes = tuple(_announced(platform, spec, outcome) for outcome in (*quiet, *done.outcomes))
    took = f"refined in {time.monotonic() - started:.1f} s"
    return StageReport(stage=STAGE, outcomes=outcomes, held=held, message=took)


def _announced(platform: Platform, spec: SourceSpec, outcome: TableOutcome) -> TableOutcome:
    """The outcome, with what the table's declared layout still waits for."""
    name = TableName.parse(outcome.table)
    note = layout_note(platform.catalog.head(name), spec.table(name.table).silver.layout)
    return outcome.model_copy(update={"note": "; ".join(filter(None, (outcome.note, note)))}) if note else outcome


def _work(platform: Platform, run: RunContext, plan: RunPlan, table: TableSpec) -> TableJob | TableOutcome:
    """What there is to refine of one table, or why there is nothing."""
    spec = source_of(run)
    bronze, silver = spec.name_of(Layer.BRONZE, table.name), spec.name_of(Layer.SILVER, table.name)
    source, target = platform.catalog.head(bronze), platform.catalog.head(silver)
    if source is None or source.main is None or source.state is None:
        return TableOutcome(table=silver.dotted, status="waiting", note="bronze has nothing published yet")
    if not is_asked(plan, silver):
        return TableOutcome(table=silver.dotted, status="left", note="this run rebuilds other tables")
    state_now = target.state if target else None
    # a table that is not there yet is derived whole anyway, and one that this run has shown already is derived (rule 9)
    anew = asked_anew(plan, silver) if state_now and state_now.run_key != run.key else None
    new_table = anew is not None and takes_new_table(plan, silver)
    done = state_now.batch if state_now and anew is None else 0
    if source.state.batch <= done:
        return TableOutcome(table=silver.dotted, status="quiet", note=f"batch {done} is refined already")
    bronze_input = InputRef(snapshot_id=source.main, batch=source.state.batch)
    contract = spec.contracts.get(silver.dotted, "")
    state = TableState(
        run_key=run.key,
        spec_hash=platform.model.silver_hash(spec, table.name),
        batch=bronze_input.batch,
        generation=(state_now.generation if state_now else 0) + (anew is not None),
        inputs={bronze.dotted: bronze_input},
    )
    is_relaid = anew is not None and not anew.is_bounded and not new_table
    discards = platform.runs.set_aside(silver, -1)
    item = RefineTable(
        spec=table,
        bronze=bronze,
        silver=silver,
        bronze_input=bronze_input,
        from_batch=done,
        base=target.main if target else None,
        state=state,
        # a discard of batches refined since only catches what the lag reads again: a rule like any other by now
        quarantine_rules={
            **(platform.model.quarantine_rules(contract) if contract else {}),
            **_named((i for i in discards if i.up_to_batch <= done and i.up_to_cursor is not None), table),
        },
        set_aside={
            **_named((i for i in discards if i.up_to_batch > done), table),
            **delivered_again(platform, table, silver, bronze_input.batch),
        },
        anew=anew,
        relayout_from=layout_to_change(target, table.silver.layout) if is_relaid else None,
        new_table=new_table,
    )
    return or_earlier(platform, run, "refine_to_silver", TableJob(table=silver, item=item))


def _named(discards: Iterable[SetAside], table: TableSpec) -> dict[str, str]:
    """Discards as rules, under the name that quarantine shows."""
    return {f"{item.rule}, set aside by {item.by}: {item.reason}": _bounded(item, table) for item in discards}


def _bounded(item: SetAside, table: TableSpec) -> str:
    """A discard concerns the batches that were held, and their rows when the lag reads them again; not newer rows."""
    rows = f"`_hw_batch` <= {item.up_to_batch}"
    cursor = getattr(table.extract, "cursor", None)
    if item.up_to_cursor is not None and cursor is not None:
        rule = table.columns.get(cursor)
        name = (rule.rename if rule else None) or cursor
        column, bound = name.replace("`", "``"), item.up_to_cursor.replace("\\", "\\\\").replace("'", "\\'")
        rows = f"({rows} OR `{column}` <= '{bound}')"
    return f"({item.predicate}) AND {rows}"
