"""``build_gold``: one SELECT over pinned inputs, staged in one commit: the whole table, or what changed of it."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession, functions

from headwater.domain.job import BuildTable, JobSpec, TableResult
from headwater.domain.names import TableName
from headwater.domain.run import InputRef
from headwater.ports.failpoints import failpoint
from headwater_spark.tables.preparing import prepare, prepare_apart
from headwater_spark.tables.snapshots import rows_at
from headwater_spark.tables.staging import Staging, mark_commits
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.changed_rows import NotFollowedError, readable
from headwater_spark.transforms.gold_merge import Changes, count_groups, made_again, merge_statement
from headwater_spark.transforms.python_function import make_gold


def build_table(spark: SparkSession, job: JobSpec, table: BuildTable) -> TableResult:
    """Build one gold table in one commit."""
    mark_commits(spark, job.run_key, job.attempt)
    views = {dotted: pin_input(spark, table.home(dotted), source) for dotted, source in table.inputs.items()}
    made = make_gold(spark, table.spec, views, job.planned_at)
    types = {field.name: field.dataType.simpleString() for field in made.schema.fields}
    layout, old = table.spec.layout, table.relayout_from
    if table.new_table:
        staging = prepare_apart(spark, table.gold, types, table.base, job.attempt, layout)
    else:
        staging = prepare(spark, table.gold, types, table.base, job.attempt, layout=layout, relayout_from=old)
    failpoint("gold.before_write")
    how = _write(spark, job, table, made, staging)
    failpoint("gold.after_write")
    staged = staging.staged(table.state)
    return TableResult(
        table=table.gold, status="staged", staged=staged, rows_inserted=staged.rows, facts={"how": how} if how else {}
    )


def pin_input(spark: SparkSession, table: TableName, source: InputRef) -> str:
    """A view over exactly one snapshot: readers see no system columns and no deleted rows."""
    return as_view(readable(rows_at(spark, table, source.snapshot_id)), table.dotted.replace(".", "__"))


def _write(spark: SparkSession, job: JobSpec, table: BuildTable, made: DataFrame, staging: Staging) -> str:
    """Commit once. Returns how the table was made, in words, where that is not plain."""
    why = table.why_anew
    if table.follow is not None:
        try:
            changes = Changes.of(spark, table, table.follow)
            if table.spec.mode == "append":
                return _append(spark, job, table, changes, staging)
            return _merge(table.spec.grain, changes, made, staging)
        except NotFollowedError as unfollowed:
            why = str(unfollowed)
    made.writeTo(staging.target).overwrite(functions.lit(True))
    return f"made anew: {why}" if why else ""


def _append(spark: SparkSession, job: JobSpec, table: BuildTable, changes: Changes, staging: Staging) -> str:
    views = {dotted: as_view(rows.gained, "gained") for dotted, rows in changes.rows.items()}
    if not views:
        staging.commit_nothing()
        return "no new rows"
    make_gold(spark, table.spec, views, job.planned_at).writeTo(staging.target).append()
    return "appended what new rows give"


def _merge(grain: tuple[str, ...], changes: Changes, made: DataFrame, staging: Staging) -> str:
    groups = changes.groups()
    rows = made_again(made, groups, grain) if groups is not None else made
    count = count_groups(staging.target, rows, groups, grain) if groups is not None else 0
    if groups is None or not count:
        staging.commit_nothing()
        return "no group changed"
    staging.spark.sql(merge_statement(staging.target, rows, groups, grain)).collect()
    return f"{count} groups made again"
