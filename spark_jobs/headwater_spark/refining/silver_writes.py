"""The one write of a silver table in each of its modes."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame

from headwater_spark.refining.derive_anew import cleared, lacks_history, with_forgotten
from headwater_spark.refining.late_keys import with_whole_keys
from headwater_spark.refining.refining import Refining
from headwater_spark.tables.preparing import prepare, prepare_apart
from headwater_spark.tables.sql_text import literal, quoted
from headwater_spark.tables.staging import Staging
from headwater_spark.tables.touched_rows import TouchedRows, touched_rows
from headwater_spark.tables.views import as_view, settled
from headwater_spark.transforms import append, scd2, scd2_belief, upsert
from headwater_spark.transforms.columns import business_columns, silver_name

SYSTEM_TYPES = {
    "_hw_position": "string",
    "_hw_batch": "bigint",
    "_hw_changed_batch": "bigint",
    "_hw_run_key": "string",
    "_hw_deleted": "boolean",
    "_hw_hash": "string",
}


@dataclass(frozen=True, slots=True)
class SilverWrite:
    """What a write did: rows per action, and rows of ``append`` that contradict known ones."""

    staging: Staging
    counts: dict[str, int]
    conflicting: DataFrame | None = None

    @property
    def conflicts(self) -> int:
        return self.counts.get(append.CONFLICT, 0)


def write_silver(refining: Refining, judged: DataFrame, count: int) -> SilverWrite:
    """Create or evolve the table, cut the branch and commit once, rows or none.

    :param count: rows of ``judged``.
    """
    table = refining.table
    names = business_columns(judged)
    types = {name: judged.schema[name].dataType.simpleString() for name in names} | SYSTEM_TYPES
    is_scd2 = table.spec.silver.form == "scd2"
    types |= scd2.scd2_types() if is_scd2 else {}
    layout = table.spec.silver.layout
    old, attempt = table.relayout_from, refining.job.attempt
    if table.new_table:
        staging = prepare_apart(refining.spark, table.silver, types, table.base, attempt, layout)
    else:
        staging = prepare(refining.spark, table.silver, types, table.base, attempt, layout=layout, relayout_from=old)
        if table.anew is not None and (not is_scd2 or lacks_history(staging)):
            staging = cleared(refining, judged, staging)
    touched = touched_rows(staging, refining.identity, judged, count, whole=table.anew is not None)
    if is_scd2:
        return _write_scd2(refining, judged, touched, tuple(types))
    actions = settled(_row_actions(refining, judged, touched))
    counts = _counts(actions)
    _commit_rows(refining, actions, touched, counts, tuple(types))
    return SilverWrite(staging, counts, append.conflicts(actions) if counts.get(append.CONFLICT) else None)


def _row_actions(refining: Refining, judged: DataFrame, touched: TouchedRows) -> DataFrame:
    spec, events = refining.table.spec, refining.events(judged)
    if spec.silver.mode == "append":
        return append.append_actions(events, touched)
    sequence = spec.silver.sequence_by and silver_name(spec, spec.silver.sequence_by)
    actions = upsert.upsert_actions(events, touched, sequence, ordered=refining.is_full_extract)
    return actions.selectExpr("*", *_stamped(refining))


def _stamps(refining: Refining) -> dict[str, str]:
    """Column -> SQL of what this run writes into every row whose content it changes."""
    batch, run_key = refining.table.bronze_input.batch, literal(refining.job.run_key)
    return {"_hw_changed_batch": f"CAST({batch} AS BIGINT)", "_hw_run_key": run_key}


def _stamped(refining: Refining) -> list[str]:
    return [f"{value} AS {name}" for name, value in _stamps(refining).items()]


def _commit_rows(
    refining: Refining, actions: DataFrame, touched: TouchedRows, counts: dict[str, int], columns: tuple[str, ...]
) -> None:
    staging = touched.staging
    if not counts.keys() - {append.CONFLICT}:
        staging.commit_nothing()
    elif refining.table.spec.silver.mode == "append":
        fresh = actions.where(f"{append.VERDICT} = '{append.NEW}'")
        stamped = fresh.selectExpr("*", *_stamped(refining), "false AS _hw_deleted")
        stamped.select(*map(quoted, columns)).writeTo(staging.target).append()
    else:
        statement = upsert.write_statement(touched, as_view(actions, "actions"), columns, counts)
        with touched.merging():
            refining.spark.sql(statement)


def _write_scd2(refining: Refining, judged: DataFrame, touched: TouchedRows, columns: tuple[str, ...]) -> SilverWrite:
    staging = touched.staging
    spec, planned_at = refining.table.spec, refining.job.planned_at.isoformat()
    declared = spec.silver.model_copy(
        update={
            "sequence_by": spec.silver.sequence_by and silver_name(spec, spec.silver.sequence_by),
            "valid_from": spec.silver.valid_from and silver_name(spec, spec.silver.valid_from),
            "track": tuple(silver_name(spec, name) for name in spec.silver.track),
        }
    )
    history = scd2.History(refining.key, declared, business_columns(judged), planned_at)
    events = scd2.as_events(refining.events(judged), history)
    anew = refining.table.anew is not None
    held = settled(scd2.believed(touched, history, anew=anew))
    any_whole = history.is_change_stream or anew
    if not (history.is_ordered or any_whole):
        events, any_whole = with_whole_keys(refining, settled(scd2.against_open(events, held, history)), history)
    opened = scd2.open_versions(held, history, events.where("NOT hw_whole"))
    versions = scd2.derive_versions(events.unionByName(opened), history)
    versions = settled(versions) if any_whole else versions
    row = scd2_belief.HistoryRow(history, columns, _stamps(refining))
    actions = scd2_belief.scd2_actions(versions, held, row, any_whole=any_whole)
    if anew:
        actions = with_forgotten(refining, actions, versions, judged, staging, row)
    actions = settled(actions)
    counts = _counts(actions)
    if counts:
        statement = scd2_belief.write_statement(touched, as_view(actions, "actions"), row, counts)
        with touched.merging():
            refining.spark.sql(statement)
    else:
        staging.commit_nothing()
    return SilverWrite(staging, counts)


def _counts(actions: DataFrame) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in actions.groupBy("_hw_action").count().collect()}
