"""``build_gold``: one SELECT over pinned inputs, staged in one commit: the whole table, or what changed of it."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession, functions

from headwater.domain.job import BuildTable, JobSpec, TableResult
from headwater.domain.run import InputRef
from headwater.ports.failpoints import failpoint
from headwater_spark.tables.staging import Staging, mark_commits, prepare
from headwater_spark.tables.views import as_view
from headwater_spark.transforms.changed_rows import NotFollowedError, readable, snapshot_rows
from headwater_spark.transforms.clock import bind_clock
from headwater_spark.transforms.gold_merge import Changes, made_again, merge_statement, refuse_twins
from headwater_spark.transforms.pinned_sql import pin_tables


def build_table(spark: SparkSession, job: JobSpec, table: BuildTable) -> TableResult:
    """Build one gold table in one commit."""
    mark_commits(spark, job.run_key, job.attempt)
    views = {dotted: pin_input(spark, dotted, source) for dotted, source in table.inputs.items()}
    made = _made(spark, job, table, views)
    types = {field.name: field.dataType.simpleString() for field in made.schema.fields}
    layout, old = table.spec.layout, table.relayout_from
    staging = prepare(spark, table.gold, types, table.base, job.attempt, layout=layout, relayout_from=old)
    failpoint("gold.before_write")
    how = _write(spark, job, table, made, staging)
    failpoint("gold.after_write")
    staged = staging.staged(table.state)
    return TableResult(
        table=table.gold, status="staged", staged=staged, rows_inserted=staged.rows, facts={"how": how} if how else {}
    )


def pin_input(spark: SparkSession, dotted: str, source: InputRef) -> str:
    """A view over exactly one snapshot: readers see no system columns and no deleted rows."""
    return as_view(readable(snapshot_rows(spark, dotted, source)), dotted.replace(".", "__"))


def _made(spark: SparkSession, job: JobSpec, table: BuildTable, views: dict[str, str]) -> DataFrame:
    return spark.sql(bind_clock(pin_tables(table.spec.sql, views), job.planned_at))


def _write(spark: SparkSession, job: JobSpec, table: BuildTable, made: DataFrame, staging: Staging) -> str:
    """Commit once. Returns how the table was made, in words, where that is not plain."""
    why = table.why_anew
    if table.follow is not None:
        try:
            changes = Changes.of(spark, table.inputs, table.follow)
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
    _made(spark, job, table, views).writeTo(staging.target).append()
    return "appended what new rows give"


def _merge(grain: tuple[str, ...], changes: Changes, made: DataFrame, staging: Staging) -> str:
    groups = changes.groups()
    count = 0 if groups is None else groups.count()
    if groups is None or not count:
        staging.commit_nothing()
        return "no group changed"
    spark = staging.spark
    rows = made_again(made, groups, grain)
    refuse_twins(as_view(rows, "rows"), groups, grain, spark)
    refuse_twins(staging.target, groups, grain, spark)
    spark.sql(merge_statement(staging.target, rows, groups, grain)).collect()
    return f"{count} groups made again"
