"""build_gold: gold tables from exactly the silver this run judged, and released tables of other pipelines."""

from __future__ import annotations

import time

from headwater.domain.job import BuildTable, JobSpec
from headwater.domain.names import Layer
from headwater.domain.run import RunPlan
from headwater.domain.spec import GoldSpec
from headwater.domain.staging import TableState, new_attempt
from headwater.ports.failpoints import failpoint
from headwater.ports.platform import Platform
from headwater.services.context import RunContext, planned
from headwater.services.following import CannotFollowError, follow
from headwater.services.gold_inputs import gold_input, waves
from headwater.services.homes import homes
from headwater.services.layouts import layout_to_change
from headwater.services.rebuilding import takes_new_table
from headwater.services.refusing import hold_refused
from headwater.services.report import StageReport, TableOutcome
from headwater.services.table_jobs import JobsDone, TableJob, or_earlier, run_jobs

STAGE = "build_gold"


def run(platform: Platform, run: RunContext) -> StageReport:
    """Stage every gold table whose inputs or SQL changed. With none, no Spark job starts (rule 8).

    Tables that read other gold of this pipeline are built after it, by a job of their own.

    :raises HeadwaterError: the first table's error, when every table of a job failed.
    """
    started = time.monotonic()
    plan = planned(platform, run)
    outcomes: list[TableOutcome] = []
    refused = hold_refused(platform, run, plan, Layer.GOLD, STAGE)
    failed = [table.dotted for table in refused]
    built = False
    for wave in waves(run.spec):
        names = ((run.spec.name_of(Layer.GOLD, gold.name), gold) for gold in wave)
        found = [refused.get(name) or _work(platform, run, plan, gold) for name, gold in names]
        outcomes += [item for item in found if isinstance(item, TableOutcome)]
        jobs = [item for item in found if isinstance(item, TableJob)]
        if jobs:
            built = True
            done = _build(platform, run, plan, jobs)
            outcomes += done.outcomes
            failed += [table.dotted for table in done.failed]
    took = f"built in {time.monotonic() - started:.1f} s" if built else "nothing to build"
    return StageReport(stage=STAGE, outcomes=tuple(outcomes), held=tuple(failed), message=took)


def _build(platform: Platform, run: RunContext, plan: RunPlan, jobs: list[TableJob]) -> JobsDone:
    job = JobSpec(
        kind="build_gold",
        run_key=run.key,
        pipeline=run.spec.name,
        attempt=new_attempt(),
        planned_at=plan.planned_at,
        build=tuple(item.item for item in jobs if isinstance(item.item, BuildTable)),
    )
    failpoint("gold.begin")
    done = run_jobs(platform, run, "build_gold", jobs, job)
    failpoint("gold.end")
    return done


def _work(platform: Platform, run: RunContext, plan: RunPlan, gold: GoldSpec) -> TableJob | TableOutcome:
    name = run.spec.name_of(Layer.GOLD, gold.name)
    inputs = {table.dotted: gold_input(platform, run, plan, table) for table in gold.inputs}
    absent = ", ".join(table for table, ref in inputs.items() if ref is None)
    if absent:
        return TableOutcome(table=name.dotted, status="waiting", note=f"{absent} is not to be had in this run")
    known = {table: ref for table, ref in inputs.items() if ref is not None}
    head = platform.catalog.head(name)
    made_with = platform.model.gold_hash(run.spec, gold.name)
    state = head.state if head else None
    is_shown = state is not None and state.run_key == run.key  # by this very run, which makes it once (rule 9)
    asked = name.dotted in plan.request.rebuild and not is_shown
    if not asked and state is not None and state.spec_hash == made_with and state.inputs == known:
        return TableOutcome(table=name.dotted, status="quiet", note="inputs and SQL are those it was built from")
    new_table = state is not None and not is_shown and takes_new_table(plan, name)
    builds = state.batch if state else 0
    generation = (state.generation if state else 0) + new_table
    item = BuildTable(
        spec=gold,
        gold=name,
        base=head.main if head else None,
        inputs=known,
        state=TableState(run_key=run.key, spec_hash=made_with, batch=builds + 1, generation=generation, inputs=known),
        new_table=new_table,
        homes=homes(platform.catalog, known),
    )
    old = layout_to_change(head, gold.layout)
    if old is not None and not new_table:  # the hash covers the layout, so that a changed one makes all anew
        item = item.model_copy(update={"relayout_from": old})
    if new_table:
        item = item.model_copy(update={"why_anew": "a new table takes the place of the one that was there"})
    elif asked:
        item = item.model_copy(update={"why_anew": "this run was asked to"})
    elif gold.mode != "rebuild":
        item = item.model_copy(update=_increment(platform, state, item))
    return or_earlier(platform, run, "build_gold", TableJob(table=name, item=item))


def _increment(platform: Platform, state: TableState | None, item: BuildTable) -> dict[str, object]:
    """How the table follows its inputs, or why it does not this time."""
    try:
        return {"follow": follow(platform, item.spec, state, item.state)}
    except CannotFollowError as reason:
        return {"why_anew": str(reason)}
